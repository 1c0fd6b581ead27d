#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bash completion knows the options of --help, the commands of a console, and
# what comes after a separator of dpipe.
. "${0%/*}/lib.sh"
# shellcheck source=tools/completion.bash
. "$ROOT/tools/completion.bash"

# complete_line WORD...: what Tab offers for the last word.
complete_line()
{
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	_vde
	printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

is "an option is completed" "$(complete_line vde_switch --mgm)" \
	"$(printf '%s\n' --mgmt --mgmtgroup --mgmtmode)"
like "a short one is offered" "$(complete_line vde_switch -)" '^-s$'
touch "$TMP/lan.rc"
is "anything else is a file" \
	"$(complete_line vde_switch -f "$TMP/lan.r")" "$TMP/lan.rc"
like "after a separator of dpipe comes a command" \
	"$(complete_line dpipe vde_plug a = base)" '^basename$'

start_switch a
is "unixcmd completes the commands of the console behind -s" \
	"$(complete_line unixcmd -s "$TMP/a.mgmt" vlan/cr)" vlan/create
is "but no heading" "$(complete_line unixcmd -s "$TMP/a.mgmt" vla | head -n 1)" \
	vlan/addport
done_testing
