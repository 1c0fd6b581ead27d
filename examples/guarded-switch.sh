#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# guarded-switch.sh - a switch that strangers may plug into
#
#	guarded-switch.sh DIR [GUESTS]    starts it, files in DIR
#	guarded-switch.sh DIR stop        ends it
#
# Port 1 is the uplink: only whoever starts this may take it, and what it has
# learned there, the router say, nobody else can claim to be. Ports 2 and up
# are for guests, as many as GUESTS (8): whoever may write to the directory
# gets the next one that is free. Guests reach the uplink and not each other,
# have 4 addresses each, and limits for what goes to everybody and for all.
# Needs no privileges. A guest that gets less than he wants:
#
#	unixcmd -s DIR/lan.mgmt guard/print
set -e
dir=${1:?usage: guarded-switch.sh DIR [GUESTS | stop]}
guests=${2:-8}

if [ "$guests" = stop ]; then
	kill "$(cat "$dir/lan.pid")"
	exit
fi
mkdir -p "$dir"

# The commands that the switch runs when it starts.
{
	echo port/create 1
	echo "port/setuser 1 $(id -u)"
	echo guard/sticky 1 1
	port=2
	while [ "$port" -le $((guests + 1)) ]; do
		echo "port/create $port"
		echo "port/allocatable $port 1"
		echo "guard/isolate $port 1"
		echo "guard/maxaddr $port 4"
		echo "guard/storm $port broadcast 50 0"
		echo "guard/storm $port multicast 100 0"
		echo "guard/storm $port unknown 500 0"
		# 100 Mbit/s, and not so many small frames.
		echo "guard/rate $port 50000 12500000"
		port=$((port + 1))
	done
} >"$dir/lan.rc"
vde_switch -d -s "$dir/lan.ctl" -M "$dir/lan.mgmt" -p "$dir/lan.pid" \
	-n $((guests + 1)) -f "$dir/lan.rc"

echo "the uplink: plug in at $dir/lan.ctl[1], for example"
echo "    dpipe vde_plug $dir/lan.ctl[1] = ssh host vde_plug /tmp/lan.ctl"
echo "guests plug in at $dir/lan.ctl"
