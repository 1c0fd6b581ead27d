#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# netcat-cable.sh - join two switches by netcat, over UDP
#
#	netcat-cable.sh listen PORT [SWITCH]          on one host, first
#	netcat-cable.sh connect HOST PORT [SWITCH]    on the other
#
# SWITCH is the directory of a switch (-s), /tmp/vde.ctl by default. What
# listens does not know where to send before it has heard something: the side
# that connects must speak first, as any host does with ARP.
#
# Nothing is encrypted and nothing is repeated when lost: for a quiet network
# of your own. A lost datagram can cost the stream its place; use udp:// if
# that matters:
#
#	vde_plug SWITCH 'udp://8000->HOST:8000'
set -e
usage='usage: netcat-cable.sh listen PORT [SWITCH]
       netcat-cable.sh connect HOST PORT [SWITCH]'

case ${1:-} in
listen)
	port=${2:?$usage}
	exec dpipe vde_plug "${3:-/tmp/vde.ctl}" = nc -l -u -p "$port"
	;;
connect)
	host=${2:?$usage}
	port=${3:?$usage}
	exec dpipe vde_plug "${4:-/tmp/vde.ctl}" = nc -u "$host" "$port"
	;;
*)
	echo "$usage" >&2
	exit 2
	;;
esac
