#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ring.sh - three switches in a ring that heals when a cable is cut
#
#	ring.sh DIR                 starts switches a, b and c, files in DIR
#	ring.sh DIR cut CABLE       pulls one of the cables ab, bc and ca
#	ring.sh DIR mend CABLE      puts it back
#	ring.sh DIR stop            ends all
#
# A ring of switches is a loop, in which frames would go round for ever. With
# spanning tree on (-F) the switches find out and leave one cable out, until it
# is needed. The one with the lowest priority becomes the root, from which
# everybody is reached by the shortest way: it should be one in the middle.
# Needs no privileges.
set -e
usage='usage: ring.sh DIR [cut CABLE | mend CABLE | stop]'
dir=${1:?$usage}

cable()
{
	dpipe -d -p "$dir/$1.pid" vde_plug "$dir/${1%?}.ctl" = \
		vde_plug "$dir/${1#?}.ctl"
}

end()
{
	[ -e "$dir/$1.pid" ] || return 0
	kill "$(cat "$dir/$1.pid")"
	# The last thing it does is to remove that file.
	tries=50
	while [ -e "$dir/$1.pid" ] && [ $((tries -= 1)) -gt 0 ]; do
		sleep 0.1
	done
}

case ${2:-start} in
start)
	mkdir -p "$dir"
	for switch in a b c; do
		priority=0x8000
		[ $switch != a ] || priority=0x1000
		vde_switch -d -s "$dir/$switch.ctl" -M "$dir/$switch.mgmt" \
			-p "$dir/$switch.pid" -F --priority $priority
	done
	for cable in ab bc ca; do
		cable $cable
	done
	echo "a ring: plug in at $dir/a.ctl, b.ctl and c.ctl, look at it by"
	echo "    unixcmd -s $dir/c.mgmt fstp/print"
	echo "and cut it by"
	echo "    $0 $dir cut ca"
	;;
cut)
	end "${3:?$usage}"
	;;
mend)
	cable "${3:?$usage}"
	;;
stop)
	for pidfile in ab bc ca a b c; do
		end $pidfile
	done
	;;
*)
	echo "$usage" >&2
	exit 2
	;;
esac
