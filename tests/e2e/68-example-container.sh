#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/container.sh puts two "containers", here network namespaces, on a
# switch: they reach each other, and one that ends frees its port.
. "${0%/*}/lib.sh"
need ip ping nsenter
in_userns "$@"
ip link add probe type veth peer name probe2 2>/dev/null ||
	skip "veths are not permitted"
ip link del probe

start_switch lan
add_ns a b
ex=$ROOT/examples/container.sh
for n in a b; do
	ns "$n" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
done
check "a container joins" \
	"$ex" "$TMP/lan.mgmt" "${ns_pid[a]}" 10.9.0.1/24
check "and another one, with an interface of another name" \
	"$ex" "$TMP/lan.mgmt" "${ns_pid[b]}" 10.9.0.2/24 lan0
check "the switch has both" active_ports lan 2
like "and shows their interfaces" "$(console lan port/print)" \
	"module interface *: vde-${ns_pid[a]}"
check "they reach each other" \
	ns a ping -c 2 -i 0.1 -W 2 -q -s 1400 10.9.0.2
check "one of them leaves" "$ex" "$TMP/lan.mgmt" "${ns_pid[a]}" stop
check "its port is free" active_ports lan 1
check_fails "and its interface gone" 1 ns a ip link show eth1
stop "${ns_pid[b]}" KILL
check "the other one ends: the port is free, too" ports_become 0 lan
check_fails "without an address it says how it is used" 2 "$ex" x 1
done_testing
