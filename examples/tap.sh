#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# tap.sh - put this machine itself on a virtual Ethernet
#
#	tap.sh DIR INTERFACE ADDRESS/BITS [USER]     as root
#	tap.sh DIR stop
#
# Root makes a tap interface that belongs to USER (root by default) and gives
# it an address; from then on USER runs the switch, which needs no privileges:
# it opens the tap as its first port. Files of the switch are in DIR.
#
# The same with a switch that already runs: `vde_plug2tap -d -s DIR INTERFACE`,
# or `tap/add INTERFACE` at its console.
set -e
usage='usage: tap.sh DIR INTERFACE ADDRESS/BITS [USER] | tap.sh DIR stop'
dir=${1:?$usage}

if [ "${2:-}" = stop ]; then
	pid=$(cat "$dir/pid")
	kill "$pid"
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
	vde_tunctl -d "$(cat "$dir/interface")"
	rm "$dir/interface"
	exit
fi
interface=${2:?$usage}
address=${3:?$usage}
user=${4:-root}

mkdir -p "$dir"
vde_tunctl -u "$user" -t "$interface"
echo "$interface" >"$dir/interface"
ip addr add "$address" dev "$interface"
ip link set "$interface" up

set -- vde_switch -d -s "$dir/ctl" -M "$dir/mgmt" -p "$dir/pid" -t "$interface"
if [ "$user" = root ]; then
	"$@"
else
	chown "$user" "$dir"
	runuser -u "$user" -- "$@"
fi
echo "guests on $dir/ctl reach this machine as ${address%/*}"
