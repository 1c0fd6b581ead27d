#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 87-bridge.sh - the Linux bridge as a peer: a tap of our switch is a port of
# a bridge. Hosts on both sides reach each other, first plainly, then in two
# VLANs, tagged between the switch and a bridge that filters by VLAN.
#
#	near1 --+                                       +-- far1
#	        | switch -- trunk (tap) -- bridge (br0) |
#	near2 --+                                       +-- far2
. "${0%/*}/lib.sh"
need vde_switch ip bridge ping
in_userns "$@"
need_tap
ip link add br0 type bridge 2>/dev/null || skip "no bridge in this kernel"

add_ns near1 near2 far1 far2
start_switch a -t trunk -t near1 -t near2
for n in 1 2; do
	move_to_ns near$n near$n
	quiet_if near$n near$n 10.0.0.$n/24
	ip link add to-far$n type veth peer name eth0 netns "${ns_pid[far$n]}"
	quiet_if far$n eth0 10.0.0.1$n/24
	ip link set to-far$n master br0 up
done
ip link set trunk master br0 up
ip link set br0 up

port_of()
{
	console a port/print | awk -v t="$1" '/^Port/ { p = $2 + 0 }
		/module tuntap/ && $NF == t { print p }'
}
trunk=$(port_of trunk) near1=$(port_of near1) near2=$(port_of near2)
is "the switch has the three taps as ports" "$trunk $near1 $near2" "1 2 3"

# reaches FROM ADDRESS: three tries within as many seconds.
reaches()
{
	ns "$1" ping -c 1 -W 1 "$2" || ns "$1" ping -c 1 -W 1 "$2" ||
		ns "$1" ping -c 1 -W 1 "$2"
}

# silent FROM ADDRESS: no answer, and no address either.
silent()
{
	! ns "$1" ping -c 1 -W 1 "$2" >/dev/null &&
		! ns "$1" ip neigh show "$2" | grep -q lladdr
}

check "near1 reaches far1 through switch and bridge" reaches near1 10.0.0.11
check "far2 reaches near2" reaches far2 10.0.0.2
check "a full frame passes" ns near1 ping -c 1 -W 2 -M "do" -s 1472 10.0.0.12
like "the switch learns who is behind the bridge" "$(console a hash/print)" \
	"to port: 00$trunk "
is "the bridge learns the same hosts behind the switch" \
	"$(bridge fdb show dev trunk | awk '!/permanent/ { print $1 }' | sort)" \
	"$(console a hash/print | sed -n 's/.* Addr: \(.*\) VLAN.* port: 00'"[$near1$near2]"' .*/\1/p' | sort)"

if ! ip link set br0 type bridge vlan_filtering 1 2>/dev/null ||
	! bridge vlan add dev trunk vid 10 2>/dev/null; then
	skip_point "VLANs: this kernel's bridge does not filter by VLAN"
	done_testing
fi
# VLAN 10 and 20 tagged on the trunk, untagged to far1 and far2; no other.
bridge vlan add dev trunk vid 20
bridge vlan del dev trunk vid 1
for n in 1 2; do
	bridge vlan add dev to-far$n vid ${n}0 pvid untagged
	bridge vlan del dev to-far$n vid 1
	check "VLAN ${n}0 is created" console a vlan/create ${n}0
	check "and tagged on the trunk" console a vlan/addport ${n}0 "$trunk"
	check "near$n is in it" console a port/setvlan $((trunk + n)) ${n}0
done
check "the trunk carries nothing untagged" console a port/setvlan "$trunk" 4095
for n in near1 near2 far1 far2; do
	ns $n ip neigh flush all
done
check "VLAN 10: near1 reaches far1" reaches near1 10.0.0.11
check "VLAN 10: far1 reaches near1" reaches far1 10.0.0.1
check "VLAN 20: near2 reaches far2" reaches near2 10.0.0.12
check "a full frame passes with its tag" \
	ns near2 ping -c 1 -W 2 -M "do" -s 1472 10.0.0.12
check "VLAN 10 does not reach VLAN 20 behind the bridge" \
	silent near1 10.0.0.12
check "nor on the switch" silent near1 10.0.0.2
check "nor from the bridge" silent far2 10.0.0.1
like "the switch learns by VLAN" "$(console a hash/print)" \
	"VLAN 0020 to port: 00$trunk "
done_testing
