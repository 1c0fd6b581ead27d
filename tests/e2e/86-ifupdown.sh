#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 86-ifupdown.sh - the scripts that Debian's vde2 puts into /etc/network, as
# they are, with our programs in the place of those that they name: an
# interface of a switch comes up with a cable and a router, works, and goes.
. "${0%/*}/lib.sh"
need vde_switch dpipe "$BUILD/bin/vde_plug" "$BUILD/bin/vde_tunctl" ip ping \
	start-stop-daemon /usr/bin/vde_switch /usr/bin/slirpvde \
	/usr/bin/vde_plug /usr/bin/dpipe \
	/etc/network/if-pre-up.d/vde2 /etc/network/if-post-down.d/vde2
in_netns "$@"
need_tap

# In a mount namespace of its own: /run, the user of the scripts, /usr/bin.
mount -t tmpfs none /run || skip "/run cannot be covered"
if [ "$(sed 1q /proc/self/uid_map | tr -s ' ')" != " 0 0 4294967295" ] ||
	! id vde2-net >/dev/null 2>&1; then
	# Here only root has a number.
	for f in passwd group; do
		sed '/^vde2-net:/d' /etc/$f >"$TMP/$f"
	done
	echo 'vde2-net:x:0:0::/:/bin/false' >>"$TMP/passwd"
	echo 'vde2-net:x:0:' >>"$TMP/group"
	for f in passwd group; do
		mount --bind "$TMP/$f" /etc/$f || skip "/etc/$f: no mount"
	done
fi
for p in vde_switch vde_plug dpipe slirpvde; do
	[ ! -x "$BUILD/bin/$p" ] || mount --bind "$BUILD/bin/$p" /usr/bin/$p ||
		skip "/usr/bin/$p cannot be covered"
done
dir=/var/run/vde2 if=vdetest
readonly dir if

# hook up|down [NAME=VALUE]...: as ifupdown runs it.
hook()
{
	local script=/etc/network/if-pre-up.d/vde2

	[ "$1" = up ] || script=/etc/network/if-post-down.d/vde2
	shift
	timeout 15 env -i PATH="$PATH" LC_ALL=C IFACE=$if ADDRFAM=inet \
		METHOD=static "$@" $script </dev/null
}

# about FILE: type, mode and number of the group.
about()
{
	stat -c '%F %a %g' "$1"
}
group=$(getent group vde2-net | cut -d: -f 3)

# Processes that the scripts have started are ours to end.
adopt()
{
	local f p

	for f in "$dir"/*.pid; do
		p=$(cat "$f") && pids+=("$p") && started_as[$p]=$f
	done
}

for s in pre-up post-down; do
	is "$s does nothing for another interface" \
		"$(env -i PATH="$PATH" IFACE=lo \
			"/etc/network/if-$s.d/vde2" 2>&1; ls $dir 2>&1)" \
		"ls: cannot access '$dir': No such file or directory"
done

# --- a switch with a tap, a cable, a router -----------------------------------

start_switch far
everything=(IF_VDE2_SWITCH=- IF_VDE2_PLUG="vde_plug $TMP/far.ctl"
	IF_VDE2_SLIRP=-)
out=$(hook up "${everything[@]}" 2>&1)
is "pre-up succeeds and is silent" "$? $out" "0 "
adopt
is "the switch is ours" "$(readlink "/proc/$(cat $dir/$if.pid)/exe")" \
	"$(readlink -f /usr/bin/vde_switch)"
is "the directory has the rights of -m 660 and the group of -g" \
	"$(about $dir/$if.ctl)" "directory 2770 $group"
is "the management socket those of --mgmtmode" \
	"$(about $dir/$if.mgmt | cut -d' ' -f 1-2)" "socket 660"
check "the interface is there" ip link show $if
ln -s $dir/$if.mgmt "$TMP/near.mgmt"
check "cable and router are plugged in" ports_become 3 near
like "the tap is a port" "$(console near port/print)" "module tuntap *: $if\$"
check "the cable is at its other end" ports_become 1 far
quiet_here()
{
	echo 1 >/proc/sys/net/ipv6/conf/"$if"/disable_ipv6
	ip link set "$if" up && ip addr add 10.0.2.15/24 dev "$if"
}
check "ifupdown can configure it" quiet_here
check "the router answers" ping -c 2 -i 0.2 -W 5 10.0.2.2
listen_at "$TMP/far.ctl"
ports_become 2 far
check "a frame gets to the far switch" passes $dir/$if.ctl over "$started"
stop "$started"
ports_become 1 far

ran=()
for f in "$dir"/*.pid; do
	ran+=("$(cat "$f")")
done
is "there are three pidfiles" "${#ran[@]}" 3
out=$(hook down "${everything[@]}" 2>&1)
rc=$?
# What start-stop-daemon thinks of the script's own directory is not ours.
is "post-down succeeds and is silent" \
	"$rc $(grep -v 'start-stop-daemon: .*pidfile' <<<"$out")" "0 "
all_gone()
{
	local p

	for p in "${ran[@]}"; do
		gone "$p" || return
	done
}
check "switch, cable and router have ended" wait_for all_gone
check "the far port is free" ports_become 0 far
check_fails "the interface is gone" 1 ip link show $if
is "no file is left" "$(ls -A $dir)" ""

# --- other stanzas -------------------------------------------------------------

out=$(hook up METHOD=manual IF_VDE2_SWITCH="--hub -n 4" 2>&1)
is "METHOD=manual with options of one's own" "$? $out" "0 "
adopt
like "the options reach the switch" "$(console near port/showinfo)" HUB=true
is "it has no tap" "$(console near port/print)" ""
out=$(hook down IF_VDE2_SWITCH=- 2>&1)
is "it goes down" "$? $out" "0 "
is "and leaves no file" "$(ls -A $dir)" ""

like "a wrong option is named" \
	"$(hook up IF_VDE2_SWITCH=--no-such-option 2>&1)" \
	"vde_switch: error: .*'--no-such-option'"
is "and nothing is started" "$(ls -A $dir)" ""
hook down IF_VDE2_SWITCH=- >/dev/null 2>&1
done_testing
