# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# completion.bash - bash completion for the programs of this toolkit
#
# Knows no option by heart: it asks the program's --help. For unixcmd it also
# asks the console behind -s for its commands. Installed once under the name
# of each program, where bash-completion finds it; may also be sourced.

# The options --help lists.
_vde_options()
{
	command "$1" --help 2>/dev/null | sed -n 's/^ *-/-/p' | sed 's/  .*//' |
		grep -oE '(^|[ ,])--?[A-Za-z0-9][-A-Za-z0-9]*' | tr -d ' ,'
}

# The commands of the console at socket $1, without menu headings.
_vde_commands()
{
	command unixcmd -s "$1" help 2>/dev/null | sed '1,/^------/d' |
		awk '$2 !~ /^=+$/ { print $1 }'
}

_vde()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local program=${COMP_WORDS[0]} words='' i

	COMPREPLY=()
	case $program in
	dpipe | */dpipe)
		# Commands, after options and after each separator.
		case $prev in
		dpipe | */dpipe | =* | '}='* | '{='*)
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
			;;
		esac
		;;
	unixcmd | */unixcmd | vdecmd | */vdecmd)
		for ((i = 1; i < COMP_CWORD - 1; i++)); do
			[ "${COMP_WORDS[i]}" = -s ] || continue
			words=$(_vde_commands "${COMP_WORDS[i + 1]}")
		done
		;;
	esac
	[[ $cur != -* ]] || words=$(_vde_options "$program")
	[ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
	[ ${#COMPREPLY[@]} -gt 0 ] ||
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}

complete -o filenames -o bashdefault -F _vde vde_switch vde_plug \
	vde_plug2tap vde_pcapplug vde_tunctl dpipe vdeterm unixterm unixcmd \
	vdecmd
