#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 83-debian-taps.sh - interfaces on switches, ours and Debian's on either side:
# vde_plug2tap, the tap of a switch, vde_pcapplug; two hosts ping each other.
. "${0%/*}/lib.sh"
need vde_switch dpipe "$BUILD/bin/vde_plug2tap" ip ping \
	/usr/bin/vde_switch /usr/bin/vde_plug2tap /usr/bin/vde_plug
in_userns "$@"
need_tap
add_ns left right
declare -A plug2tap=([ours]=$BUILD/bin/vde_plug2tap
	[theirs]=/usr/bin/vde_plug2tap)

# appears NS: eth0 is there; it gets up, and the address of that host.
appears()
{
	local addr=10.0.0.1/24

	[ "$1" = left ] || addr=10.0.0.2/24
	wait_for ns "$1" ip link show eth0 && quiet_if "$1" eth0 "$addr"
}

# joined: the hosts reach each other, with small and full frames.
joined()
{
	ns left ping -c 2 -i 0.05 -W 3 10.0.0.2 &&
		ns right ping -c 2 -i 0.05 -W 3 -M "do" -s 1472 10.0.0.1
}

# --- taps ------------------------------------------------------------------------

start_switch ours
start_peer_switch theirs
rows=("ours,ours,theirs" "ours,theirs,theirs" "theirs,ours,ours"
	"theirs,ours,theirs")
if can_borrow; then
	borrow vde_plug2tap
	plug2tap[borrowed]=$TMP/our-lib-vde_plug2tap
	rows+=("ours,borrowed,borrowed" "ours,theirs,borrowed"
		"theirs,borrowed,borrowed")
fi
for row in "${rows[@]}"; do
	IFS=, read -r switch a b <<<"$row"
	start_in left "${plug2tap[$a]}" -s "$TMP/$switch.ctl" eth0
	left=$started
	start_in right "${plug2tap[$b]}" -s "$TMP/$switch.ctl" -p 9 -m 700 eth0
	right=$started
	check "switch $switch, plug2tap $a and $b: they are plugged in" \
		clients_become 2 "$switch"
	[ "$row" != ours,borrowed,borrowed ] ||
		is "Debian's plug2tap uses shared memory with our library" \
			"$(transports ours)" "ring ring"
	check "the interfaces are there" eval "appears left && appears right"
	check "the hosts reach each other" joined
	stop "$left"
	clients_become 1 "$switch"
	stop "$right"
	clients_become 0 "$switch"
	check "the interfaces are gone" eval \
		"wait_for eval '! ns left ip link show eth0' &&
		wait_for eval '! ns right ip link show eth0'"
done

# --- by standard input and output --------------------------------------------------

start_in left dpipe vde_plug "$TMP/ours.ctl" = \
	/usr/bin/vde_plug2tap -s - eth0
left=$started
start_in right dpipe /usr/bin/vde_plug "$TMP/ours.ctl" = \
	vde_plug2tap -s - eth0
right=$started
clients_become 2 ours
check "plug2tap -s -: the interfaces are there" \
	eval "appears left && appears right"
check "ours and Debian's reach each other" joined
stop "$left"
stop "$right"
clients_become 0 ours

# --- the tap of a switch, a cable in between ------------------------------------------

start_switch mine -t mytap
start_peer_switch his -t histap
for s in my:left his:right; do
	move_to_ns "${s%:*}tap" "${s#*:}"
	ns "${s#*:}" ip link set "${s%:*}tap" name eth0
	appears "${s#*:}"
done
start dpipe vde_plug "$TMP/mine.ctl" = /usr/bin/vde_plug "$TMP/his.ctl"
clients_become 1 mine his
check "a tap of our switch and one of Debian's, by a cable" joined
stop "$started"
for h in left right; do
	ns $h ip link del eth0
done

# --- an existing interface ------------------------------------------------------------

# pcap_host PROGRAM SWITCH: host right gets one end of a veth, the program the
# other; host left a tap.
pcap_host()
{
	ip link add to-right type veth peer name eth0 netns "${ns_pid[right]}"
	ip link set to-right up
	appears right
	start "$1" -s "$TMP/$2.ctl" to-right
	pcap=$started
	start_in left vde_plug2tap -s "$TMP/$2.ctl" eth0
	left=$started
	clients_become 2 "$2"
	appears left
}

no_pcap_host()
{
	stop "$pcap"
	clients_become 1 "$1"
	stop "$left"
	clients_become 0 "$1"
	ip link del to-right
}

if [ -x "$BUILD/bin/vde_pcapplug" ]; then
	pcap_host vde_pcapplug theirs
	check "our pcapplug on Debian's switch" joined
	no_pcap_host theirs
else
	skip_point "our pcapplug on Debian's switch: not built"
fi
# received NS N: has its eth0 received that many frames?
received()
{
	# shellcheck disable=SC2016
	[ "$(ns "$1" awk '$1 == "eth0:" { print $3 }' /proc/net/dev)" -ge "$2" ]
}

if [ -x /usr/bin/vde_pcapplug ]; then
	pcap_host /usr/bin/vde_pcapplug ours
	# What it captures waits until libpcap has a block full of it: an
	# answer to a ping comes never, or too late. So one way at a time.
	shout()
	{
		ns "$1" ping -b -c 50 -i 0.002 -W 0.1 -s 1400 10.0.0.255
	}
	shout left >/dev/null 2>&1
	check "Debian's pcapplug on our switch: frames reach the interface" \
		wait_for received right 50
	shouted_and_heard()
	{
		shout right
		received left 100
	}
	check "and those from the interface reach the switch" \
		wait_for shouted_and_heard
	no_pcap_host ours
else
	skip_point "Debian's pcapplug on our switch: not installed"
fi
done_testing
