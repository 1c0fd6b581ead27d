#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/tap.sh puts "this machine", here a network namespace, on a switch:
# a guest in another namespace pings it.
. "${0%/*}/lib.sh"
need ping vde_plug2tap vde_tunctl
in_netns "$@"
need_tap

lab=$TMP/lab
ln -s "$lab/mgmt" "$TMP/lab.mgmt"
check "the example starts" "$ROOT/examples/tap.sh" "$lab" tap7 10.7.0.1/24
check "the switch has the tap on a port" ports_become 1 lab
like "and says so" "$(console lab port/print)" 'module tuntap *: tap7'

add_ns guest
start_in guest vde_plug2tap -s "$lab/ctl" eth0
wait_for ns guest ip link show eth0
quiet_if guest eth0 10.7.0.2/24
check "the guest is plugged in" ports_become 2 lab
check "the guest reaches this machine" \
	ns guest ping -c 2 -i 0.2 -W 2 10.7.0.1
check "and this machine the guest" ping -c 2 -i 0.2 -W 2 10.7.0.2

pid=$(cat "$lab/pid")
check "it stops" "$ROOT/examples/tap.sh" "$lab" stop
check "the switch ends" wait_for gone "$pid"
no_tap()
{
	! ip link show tap7
}
check "and the tap is gone" wait_for no_tap

if [ "$(awk '{ print $3; exit }' /proc/self/uid_map)" -gt 65534 ]; then
	# He may not be able to look into the tree.
	mkdir "$TMP/bin"
	cp "$BUILD/bin/vde_switch" "$TMP/bin"
	chmod -R go+rX "$TMP"
	PATH=$TMP/bin:$PATH
	check "the switch can belong to an ordinary user" \
		"$ROOT/examples/tap.sh" "$lab" tap8 10.8.0.1/24 nobody
	pid=$(cat "$lab/pid")
	is "and runs as that one" "$(stat -c %U "/proc/$pid")" nobody
	is "which is this tree's" "$(readlink "/proc/$pid/exe")" \
		"$TMP/bin/vde_switch"
	check "it stops too" "$ROOT/examples/tap.sh" "$lab" stop
else
	skip_point "the switch can belong to an ordinary user: one user here"
fi
done_testing
