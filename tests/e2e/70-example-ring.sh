#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# examples/ring.sh makes a ring of three switches; one host is plugged into
# each, and their pings go on, without a duplicate, whatever cable is cut.
. "${0%/*}/lib.sh"
need ip ping nsenter
in_userns "$@"
ip link add probe type veth peer name probe2 2>/dev/null ||
	skip "veths are not permitted"
ip link del probe

lab=$TMP/lab
ring=$ROOT/examples/ring.sh
for s in a b c; do # where console() looks
	ln -s "$lab/$s.mgmt" "$TMP/$s.mgmt"
done
check "the ring starts" "$ring" "$lab"
check "each switch has two cables" ports_become 2 a b c

# settled N: one end of one cable is closed, N ports are open.
settled()
{
	local s

	[ "$(for s in a b c; do
		console "$s" vlan/print
	done | grep -o 'status=.*' | sort | uniq -c | paste -sd ' ' |
		tr -s ' ')" = " 1 status=Discarding $1 status=Forwarding" ]
}
check "one end of one cable is closed" wait_for settled 5
is "the root is a" \
	"$(console b fstp/print | grep -c '++ root 10:00:00:ff')" 1

n=0
for h in a b c; do
	add_ns "$h"
	ns "$h" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	"$ROOT/examples/container.sh" "$lab/$h.mgmt" "${ns_pid[$h]}" \
		"10.9.0.$((++n))/24" >/dev/null
done
reaches()
{
	ns "$1" ping -c 1 -W 1 -q "$2"
}
check "hosts on b and c reach each other" wait_for reaches b 10.9.0.3
check "and a" wait_for reaches c 10.9.0.1

# pings_while COMMAND...: pings from b to c while it runs, fifty in a
# second; their summary.
pings_while()
{
	start_in b ping -i 0.02 -c 75 -W 1 10.9.0.3
	wait_for grep -q icmp_seq=20 "$TMP/$started.log"
	"$@"
	wait_for ended "$started"
	log_of "$started" | grep transmitted
}

for cable in bc ab ca; do
	sum=$(pings_while "$ring" "$lab" cut "$cable")
	echo "# $sum"
	got=$(grep -o '[0-9]* received' <<<"$sum")
	check "cable $cable is cut: pings go on" test "${got% *}" -ge 60
	is "none comes twice" "$(grep -o dup <<<"$sum")" ""
	check "it is mended" "$ring" "$lab" mend "$cable"
	check "and the ring is whole again" wait_for settled 8
done
impatient()
{
	for _ in 1 2 3 4 5 6 7 8; do
		"$ring" "$lab" cut ca && "$ring" "$lab" mend ca || return
	done
}
check "a cable that was just cut can be mended" impatient
check "it stops" "$ring" "$lab" stop
all_gone()
{
	[ -z "$(ls -A "$lab")" ]
}
check "and leaves no file" wait_for all_gone
check_fails "an unknown word is refused" 2 "$ring" "$lab" x
check_fails "without a directory it says how it is used" 2 "$ring"
done_testing
