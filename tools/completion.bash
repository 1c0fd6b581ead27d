# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# completion.bash - bash completion for the programs of this toolkit
#
# Knows no option by heart: it asks the program's --help, whose metavariables
# (FILE, DIR, SOCK, IF, LOCATOR ...) tell what the value of an option may be.
# What operands may be is in _vde_operand(). For unixcmd it also asks the
# console behind -s for its commands; behind a separator of dpipe or vde_plug
# the command there is completed by its own rules. Installed once under the
# name of each program, where bash-completion finds it; may also be sourced.
# Needs nothing but bash.

# Functions that look for words leave them here; the words there are.
_vde_found=() _vde_all=()

# _vde_words LIST CUR
_vde_words()
{
	mapfile -t _vde_found < <(compgen -W "$1" -- "$2")
}

# _vde_files CUR [TEST]: files, of which those pass that are directories or
# fit TEST (d: directories only, S: sockets).
_vde_files()
{
	local f all

	compopt -o filenames 2>/dev/null
	mapfile -t all < <(compgen -f -- "$1")
	for f in "${all[@]}"; do
		case ${2:-} in
		d) [ -d "${f/#\~/$HOME}" ] || continue ;;
		S) [ -d "${f/#\~/$HOME}" ] || [ -S "${f/#\~/$HOME}" ] ||
			continue ;;
		esac
		_vde_found+=("$f")
	done
}

_vde_interfaces()
{
	local i list=''

	for i in /sys/class/net/*; do
		list+=" ${i##*/}"
	done
	_vde_words "$list" "$1"
}

# Locators: a directory of a switch, or MODULE://ADDRESS.
_vde_locator()
{
	local cur=$1 module=${1%%://*}://

	case $cur in
	tap://*) _vde_interfaces "${cur#*://}" ;;
	vde://*) _vde_files "${cur#*://}" d ;;
	ptp://*) _vde_files "${cur#*://}" ;;
	cmd://*) mapfile -t _vde_found < <(compgen -c -- "${cur#*://}") ;;
	*://*) ;;
	*)
		module=''
		_vde_files "$cur" d
		if [ ${#_vde_found[@]} -eq 0 ]; then
			_vde_words 'vde:// tap:// udp:// ptp:// cmd:// null:// seqpacket://' \
				"$cur"
			compopt +o filenames -o nospace 2>/dev/null
		fi
		;;
	esac
	[ -z "$module" ] || _vde_found=("${_vde_found[@]/#/$module}")
}

# _vde_value KIND CUR: KIND is a metavariable of --help, "[=KIND]" of a value
# that may be left out.
_vde_value()
{
	local kind=${1#"[="} before=''

	case ${kind%]} in
	FILE | SCRIPT | PATH) _vde_files "$2" ;;
	DIR) _vde_files "$2" d ;;
	SOCK) _vde_files "$2" S ;;
	LOCATOR | VNL) _vde_locator "$2" ;;
	IF | TAP | NAME | INTERFACE) _vde_interfaces "$2" ;;
	GROUP) mapfile -t _vde_found < <(compgen -g -- "$2") ;;
	USER | OWNER) mapfile -t _vde_found < <(compgen -u -- "$2") ;;
	COMMAND) mapfile -t _vde_found < <(compgen -c -- "$2") ;;
	vde_plug) _vde_words "$1" "$2" ;;
	L:R)
		[[ $2 != *:* ]] || before=${2%:*}:
		_vde_files "${2#"$before"}" d
		_vde_found=("${_vde_found[@]/#/$before}")
		;;
	esac
}

# The rows of --help: "-s --sock SOCK", one option each.
_vde_rows()
{
	command "$1" --help 2>/dev/null </dev/null |
		sed -n 's/^ \{1,\}\(-.*\)/\1/p' |
		sed -e 's/  .*//' -e 's/, / /g' -e 's/\[=/ [=/'
}

# _vde_kind ROWS OPTION: the metavariable of an option; empty for a flag.
_vde_kind()
{
	local row word names

	while read -r row; do
		names=''
		for word in $row; do
			case $word in
			-*) names+=" $word" ;;
			*)
				case "$names " in
				*" $2 "*) echo "$word" ;;
				esac
				;;
			esac
		done
	done <<<"$1"
}

# The commands of the console at a socket, without menu headings.
_vde_commands()
{
	command "$1" -t 1 -s "$2" help 2>/dev/null </dev/null |
		sed '1,/^------/d' | awk '$2 !~ /^=+$/ { print $1 }'
}

# _vde_console PROGRAM SOCK WORD... CUR: an operand of unixcmd.
_vde_console()
{
	local program=$1 sock=$2 first=${3:-} cur=${*: -1}

	shift 2
	if [ $# -eq 1 ] || { [ $# -eq 2 ] && [ "$first" = help ]; }; then
		_vde_words "$(_vde_commands "$program" "$sock")" "$cur"
	elif [ "$first" = load ]; then
		_vde_files "$cur"
	fi
}

# _vde_operand NAME N CUR: operand number N, from 0, of a program.
_vde_operand()
{
	case $1 in
	vdeterm | unixterm) [ "$2" -gt 0 ] || _vde_value SOCK "$3" ;;
	vde_plug) [ "$2" -gt 1 ] || _vde_value LOCATOR "$3" ;;
	vde_plug2tap | vde_pcapplug) [ "$2" -gt 0 ] || _vde_value IF "$3" ;;
	slirpvde) [ "$2" -gt 0 ] || _vde_value DIR "$3" ;;
	wirefilter) [ "$2" -gt 1 ] || _vde_value LOCATOR "$3" ;;
	dpipe) [ "$2" -gt 0 ] || _vde_value COMMAND "$3" ;;
	esac
}

# _vde_behind NAME WORD...: how many words stand before the command behind
# the last separator; 0 without one.
_vde_behind()
{
	local name=$1 i=0 at=0

	shift
	for ((i = 1; i < $#; i++)); do
		case $name:${!i} in
		dpipe:=* | dpipe:[}{]=*) at=$i ;;
		vde_plug:=) [ "$at" -gt 0 ] || at=$i ;;
		esac
	done
	echo "$at"
}

# _vde_foreign N CUR: word N of the line is a command that is not ours; where
# bash-completion is loaded it knows what to do. It counts readline's words,
# of which ours may be several.
_vde_foreign()
{
	local f i=0 n=$1 word text

	for f in _comp_command_offset _command_offset ''; do
		[ -n "$f" ] && declare -F "$f" >/dev/null && break
	done
	for word in "${_vde_all[@]:0:n}"; do
		text=''
		while [ "$text" != "$word" ] && [ "$i" -lt "$COMP_CWORD" ]; do
			text+=${COMP_WORDS[i]}
			i=$((i + 1))
		done
	done
	if [ -n "$f" ] && [ "$i" -lt "$COMP_CWORD" ]; then
		"$f" "$i"
	else
		_vde_files "$2"
	fi
}

# _vde_line OFFSET WORD... CUR: completes CUR, a word of the command line that
# begins with the first WORD, which is number OFFSET of the whole line.
_vde_line()
{
	local offset=$1 cur=${*: -1} name rows word kind='' sock='' at i
	local operands=() ended=''

	shift
	name=${1##*/}
	case $name in
	vde_switch | vde_plug | vde_plug2tap | vde_pcapplug | vde_tunctl) ;;
	vde_cryptcab | wirefilter | slirpvde | dpipe) ;;
	vdeterm | unixterm | unixcmd | vdecmd) ;;
	*)
		_vde_foreign "$offset" "$cur"
		return
		;;
	esac
	at=$(_vde_behind "$name" "$@")
	if [ "$at" -gt 0 ]; then
		if [ $(($# - at)) -eq 1 ]; then
			_vde_value COMMAND "$cur"
		else
			_vde_line $((offset + at)) "${@:at + 1}"
		fi
		return
	fi

	rows=$(_vde_rows "$1")
	for ((i = 2; i < $#; i++)); do
		word=${!i}
		if [ -n "$kind" ]; then
			[ "$kind" != SOCK ] || sock=$word
			kind=''
		elif [[ -z $ended && $word == --*=* ]]; then
			[ "$(_vde_kind "$rows" "${word%%=*}")" != SOCK ] ||
				sock=${word#*=}
		elif [[ -z $ended && $word == -- ]]; then
			ended=1
		elif [[ -z $ended && $word == -* ]]; then
			kind=$(_vde_kind "$rows" "$word")
			[[ $kind != '[='* ]] || kind=''
		else
			operands+=("$word")
			case $name in
			dpipe | unixcmd | vdecmd) ended=1 ;;
			esac
		fi
	done

	if [ -n "$kind" ]; then
		_vde_value "$kind" "$cur"
	elif [[ -z $ended && $cur == --*=* ]]; then
		_vde_value "$(_vde_kind "$rows" "${cur%%=*}")" "${cur#*=}"
		_vde_found=("${_vde_found[@]/#/${cur%%=*}=}")
	elif [[ -z $ended && $cur == -* ]]; then
		_vde_words "$(tr ' ' '\n' <<<"$rows" | grep '^-')" "$cur"
	elif [ "$name" = unixcmd ] || [ "$name" = vdecmd ]; then
		_vde_console "$1" "${sock:-/var/run/$name}" \
			"${operands[@]}" "$cur"
	elif [ "$name" = dpipe ] && [ ${#operands[@]} -gt 0 ]; then
		i=$(($# - 1 - ${#operands[@]}))
		_vde_line $((offset + i)) "${operands[@]}" "$cur"
	else
		_vde_operand "$name" ${#operands[@]} "$cur"
	fi
}

# Readline takes a word apart at ":" and "=", which locators and separators
# contain: the line is split here anew, and what readline takes for done is
# removed from the answers.
_vde()
{
	local cur='' breaks='' before line=${COMP_LINE:0:COMP_POINT}

	# Without -r: a backslash keeps a blank in its word.
	# shellcheck disable=SC2162
	read -a _vde_all <<<"$line"
	if [ ${#_vde_all[@]} -gt 0 ] && [[ $line != *[[:blank:]] ]]; then
		cur=${_vde_all[-1]}
		unset '_vde_all[-1]'
	fi
	_vde_found=()
	[ ${#_vde_all[@]} -eq 0 ] || _vde_line 0 "${_vde_all[@]}" "$cur"

	[[ $COMP_WORDBREAKS != *:* ]] || breaks+=:
	[[ $COMP_WORDBREAKS != *=* ]] || breaks+='='
	if [[ -n $breaks && $cur == *[$breaks]* ]]; then
		before=${cur##*["$breaks"]}
		before=${cur%"$before"}
		_vde_found=("${_vde_found[@]#"$before"}")
	fi
	# _command_offset has left its answer in COMPREPLY itself.
	[ ${#_vde_found[@]} -eq 0 ] || COMPREPLY=("${_vde_found[@]}")
}

complete -F _vde vde_switch vde_plug vde_plug2tap vde_pcapplug vde_tunctl \
	vde_cryptcab wirefilter slirpvde dpipe vdeterm unixterm unixcmd vdecmd
