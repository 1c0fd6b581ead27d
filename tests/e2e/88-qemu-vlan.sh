#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# timeout: 240
#
# 88-qemu-vlan.sh - the kernel's own 802.1Q behind our switch: one guest tags
# (eth0.10, eth0.20), another does not. Tags pass through a switch that has no
# VLAN; then the switch has VLANs, a trunk and access ports.
. "${0%/*}/lib.sh"
# shellcheck source=tools/guest.sh
. "$ROOT/tools/guest.sh"
need vde_switch
guest_needs || skip "$guest_lacks"
GUEST_MODULES="llc stp garp mrp 8021q"
guest_image || exit 1
start_switch a

guest_start trunk 10.0.0.1/24 -netdev "vde,id=net,sock=$TMP/a.ctl[1]"
guest_start plain 10.0.0.2/24 -netdev "vde,id=net,sock=$TMP/a.ctl[2]"
boots trunk "the guest that tags boots" || done_testing
boots plain "the other boots" || done_testing

# tagged GUEST VLAN LAST: an interface for that VLAN, 10.0.VLAN.LAST.
tagged()
{
	guest_do "$1" "ip link add link eth0 name eth0.$2 type vlan id $2 &&" \
		"ip link set eth0.$2 up && ip addr add 10.0.$2.$3/24 dev eth0.$2"
}

out=$(tagged trunk 10 1 2>&1) || skip "no 802.1Q in the guest: $out"
tagged trunk 20 1 >/dev/null
tagged plain 10 9 >/dev/null

# answers VLAN: does the tagging guest answer the other one there?
answers()
{
	guest_do plain ping -c 1 -W 2 "10.0.$1.1"
}

check "a switch without VLANs lets tagged frames pass" answers 10
like "and learns by VLAN" "$(console a hash/print)" \
	'Addr: 52:54:00:00:00:02 VLAN 0010 to port: 002'
check "untagged frames, too" answers 0

guest_do plain ip link del eth0.10 >/dev/null
for v in 10 20; do
	check "VLAN $v is made" console a vlan/create $v
	check "the trunk carries it tagged" console a vlan/addport $v 1
done
check "a port gets VLAN 10, untagged" console a port/setvlan 2 10
guest_do plain "ip addr add 10.0.10.2/24 dev eth0;" \
	"ip addr add 10.0.20.2/24 dev eth0" >/dev/null
check "it reaches VLAN 10" answers 10
check_fails "it does not reach VLAN 20" 1 answers 20
check_fails "it does not reach what is untagged on the trunk" 1 answers 0

sum=$(guest_do trunk 'head -c 2000000 /dev/urandom >/www/f' \
	'&& httpd -h /www && wc -c </www/f && sha256sum </www/f')
like "the trunk's guest serves 2 MB" "$sum" '^2000000$'
is "they come through VLAN 10 as they are, in full frames" \
	"$(guest_do plain 'timeout 20 wget -qO /www/g http://10.0.10.1/f;' \
		'wc -c </www/g; sha256sum </www/g')" "$sum"

check "the port is moved to VLAN 20 while in use" console a port/setvlan 2 20
check "it reaches VLAN 20 then" answers 20
check_fails "and VLAN 10 no more" 1 answers 10
done_testing
