#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ssh-cable.sh - join a switch here and a switch on another host through ssh
#
#	ssh-cable.sh [USER@]HOST [LOCAL [REMOTE]]
#
# LOCAL and REMOTE are the directories of the switches (-s), /tmp/vde.ctl by
# default. Both switches must run, vde_plug must be installed on both hosts,
# and ssh must be able to log in without a question if this runs in the
# background. $SSH is the command, with options, if "ssh" is not enough.
#
# ssh encrypts, and carries what vde_plug writes over there to the vde_plug
# here. TCP inside TCP: fine for a shell, slow for much more on a bad line.
# Runs until either side ends; the status tells how.
set -e
host=${1:?usage: ssh-cable.sh [USER@]HOST [LOCAL [REMOTE]]}
local=${2:-/tmp/vde.ctl}
remote=${3:-/tmp/vde.ctl}

# shellcheck disable=SC2086
exec dpipe vde_plug "$local" = ${SSH:-ssh} "$host" vde_plug "$remote"
