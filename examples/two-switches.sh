#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# two-switches.sh - two switches on this machine, joined by a cable
#
#	two-switches.sh DIR         starts them, files in DIR
#	two-switches.sh DIR stop    ends them
#
# A switch is a process with a directory of sockets (-s) that programs plug
# into and a console (-M) that tells and is told. vde_plug is a port of a
# switch on standard input and output; dpipe joins the inputs and outputs of
# two commands crosswise: that is the cable. Needs no privileges.
set -e
dir=${1:?usage: two-switches.sh DIR [stop]}

if [ "${2:-}" = stop ]; then
	for name in cable a b; do
		kill "$(cat "$dir/$name.pid")"
		# The last thing it does is to remove that file.
		tries=50
		while [ -e "$dir/$name.pid" ] && [ $((tries -= 1)) -gt 0 ]; do
			sleep 0.1
		done
	done
	exit
fi

mkdir -p "$dir"
# Each call comes back when its daemon is ready, or fails and says why.
vde_switch -d -s "$dir/a.ctl" -M "$dir/a.mgmt" -p "$dir/a.pid"
vde_switch -d -s "$dir/b.ctl" -M "$dir/b.mgmt" -p "$dir/b.pid"
dpipe -d -p "$dir/cable.pid" vde_plug "$dir/a.ctl" = vde_plug "$dir/b.ctl"

echo "one Ethernet: plug in at $dir/a.ctl and $dir/b.ctl, for example"
echo "    qemu-system-x86_64 ... -nic vde,sock=$dir/a.ctl"
echo "and look at it by"
echo "    vdeterm $dir/a.mgmt"
