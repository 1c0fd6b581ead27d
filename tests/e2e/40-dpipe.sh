#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# 40-dpipe.sh - dpipe by itself: every form of its line with small commands
# that note what they read; what they inherit, how the chain ends, signals,
# files, background.
# shellcheck disable=SC2016,SC2317 # scripts of commands; conditions
. "${0%/*}/lib.sh"
need dpipe python3 pgrep

cd "$TMP" || exit 1

# --- who talks to whom -----------------------------------------------------

# Says its name to both sides, notes what it hears; $1 name, $2 times heard
# on stdin, "both" as $3: a command in the middle.
cat >talk <<'END'
#!/bin/bash
echo "$1"
[ "$3" != both ] || echo "$1" >&"$ALTERNATE_STDOUT"
{ head -n 1 | sed 's/^/left /'
  [ "$3" != both ] || head -n 1 <&"$ALTERNATE_STDIN" | sed 's/^/right /'
} >"$1.heard"
exit "${2:-0}"
END
# Passes on one line, with its own name added.
cat >pass <<'END'
#!/bin/bash
read -r line
echo "$line-$1"
END
chmod +x talk pass

heard()
{
	tr '\n' ' ' <"$1.heard"
}

check "two commands run" timeout 10 dpipe ./talk a = ./talk b
is "the first hears the second" "$(heard a)" "left b "
is "the second hears the first" "$(heard b)" "left a "

check "three commands run" \
	timeout 10 dpipe ./talk a = ./talk b 0 both = ./talk c
is "the one in the middle hears both sides" "$(heard b)" "left a right c "
is "the outer ones hear only the middle" "$(heard a)$(heard c)" \
	"left b left b "

check "five commands run" timeout 10 dpipe ./talk a = ./talk b 0 both = \
	./talk c 0 both = ./talk d 0 both = ./talk e
is "each of five hears its neighbours" \
	"$(heard a)$(heard b)$(heard c)$(heard d)$(heard e)" \
	"left b left a right c left b right d left c right e left d "

check "a filter to the right runs" \
	timeout 10 dpipe ./talk a =} ./pass f }= ./talk b
is "it changes what goes to the right only" "$(heard a)$(heard b)" \
	"left b left a-f "
check "a filter to the left runs" \
	timeout 10 dpipe ./talk a ={ ./pass f {= ./talk b
is "it changes what goes to the left only" "$(heard a)$(heard b)" \
	"left b-f left a "
check "filters of both directions, and a plain link, run" \
	timeout 10 dpipe ./talk a =} ./pass f }=} ./pass g }={ ./pass h {= \
	./talk b 0 both = ./talk c
is "each direction passes its own filters in order" \
	"$(heard a)$(heard b)$(heard c)" "left b-h left a-f-g right c left b "

# --- what a command inherits -----------------------------------------------

# shellcheck disable=SC2016
fds='echo $ALTERNATE_STDIN,$ALTERNATE_STDOUT >$0; ls /proc/$$/fd >>$0; :'
shown()
{
	tr '\n' ' ' <"$1"
}
bare() # COMMAND...: with descriptors 0 to 2 only
{
	bash -c 'for f in /proc/self/fd/*; do
		f=${f##*/}; [ "$f" -le 2 ] || eval "exec $f>&-"; done
		exec "$@"' - "$@"
}
bare timeout 10 dpipe true = bash -c "$fds" outer
is "an outer command has descriptors 0 to 2 only" "$(shown outer)" "3,4 0 1 2 "
bare timeout 10 dpipe true = bash -c "$fds" middle = true
is "one in the middle has 3 and 4 too" "$(shown middle)" "3,4 0 1 2 3 4 "
bare timeout 10 dpipe true =} bash -c "$fds" filter }= true
is "a filter has 0 to 2 only" "$(shown filter)" "3,4 0 1 2 "
bare timeout 10 bash -c 'exec 3</dev/null 4>kept
	exec dpipe true = bash -c "$1; echo hello >&4" moved = true' - "$fds"
is "descriptors of the caller stay; the alternate ones move" \
	"$(shown moved)$(cat kept)" "5,6 0 1 2 3 4 5 6 hello"
bare timeout 10 dpipe sh -c 'echo one' = sh -c 'read -r x; echo $x >closed' \
	<&- >&- 2>&-
is "closed standard descriptors do no harm" "$(cat closed)" one

python3 - <<'END'
import signal, subprocess
signal.signal(signal.SIGPIPE, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
subprocess.run(["dpipe", "true", "=}", "grep", "-E", "SigIgn|SigBlk",
                "/proc/self/status", "}=", "sh", "-c", "cat >sigs"],
               restore_signals=False, timeout=10)
END
is "SIGPIPE ends a command, whatever the caller ignored" \
	$((0x$(sed -n 's/SigIgn:\t//p' sigs) & 0x1000)) 0
is "the signal mask of the caller is kept" \
	$((0x$(sed -n 's/SigBlk:\t//p' sigs))) $((0x200))

# --- the end ---------------------------------------------------------------

check_fails "the last command's status is dpipe's" 7 \
	timeout 10 dpipe sh -c 'exit 3' = sh -c 'exit 7'
check_fails "a signal that killed it is 128 more" 137 \
	timeout 10 dpipe true = sh -c 'kill -KILL $$'
check_fails "a last command that does not exist is 127" 127 \
	timeout 10 dpipe cat = ./nosuch
out=$(timeout 10 dpipe ./nosuch = sh -c 'cat; exit 4' 2>&1)
is "with another one missing, the rest sees EOF" $? 4
is "and the message names it" "$out" \
	"dpipe: error: unable to run ./nosuch: No such file or directory"
check "when one command ends its neighbours see EOF" \
	timeout 10 dpipe cat = bash -c 'cat <&$ALTERNATE_STDIN | cat' = \
	bash -c 'cat <&$ALTERNATE_STDIN' = true
check "a writer without a reader gets SIGPIPE" \
	timeout 10 dpipe yes = sh -c 'read -r x'

for line in "" a "a =" "= b" "a = = b" "a =} b" "a =} b {= c" "a ={ b }= c" \
	"a =} b = c" "a =b" "a == b"; do
	# shellcheck disable=SC2086
	check_fails "usage: '$line'" 2 dpipe $line
done
check_fails "usage: an unknown option" 2 dpipe -x a = b

# --- signals ---------------------------------------------------------------

cat >waiter <<'END'
#!/bin/bash
trap "echo $1 got TERM >>got; exit 5" TERM
trap "echo $1 got INT >>got; exit 6" INT
trap "echo $1 got HUP >>got; exit 8" HUP
echo "$1" >>up
exec {f}<> <(:)
while :; do read -rt 1 -u "$f" _; done
END
chmod +x waiter
lines()
{
	[ -e "$1" ] && [ "$(wc -l <"$1")" -eq "$2" ]
}

while read -r sig status; do
	rm -f up got
	start dpipe -P pgrp ./waiter 1 = ./waiter 2 = ./waiter 3
	wait_for lines up 3
	stop "$started" "$sig"
	is "SIG$sig ends the chain with the last one's status" $? "$status"
	is "SIG$sig reaches all commands" "$(sort got | tr '\n' ,)" \
		"1 got $sig,2 got $sig,3 got $sig,"
done <<'END'
TERM 5
INT 6
HUP 8
END

rm -f up got
start dpipe -p pid -P pgrp ./waiter 1 = ./waiter 2
wait_for lines up 2
is "the pidfile has dpipe's pid" "$(cat pid)" "$started"
is "the pgrpfile has the negative process group" "$(cat pgrp)" "-$started"
kill -- "$(cat pgrp)"
wait_for gone "$started"
# dpipe got it too, and passed it on: once or twice each.
is "that number stops the whole chain" "$(sort -u got | tr '\n' ,)" \
	"1 got TERM,2 got TERM,"
check_fails "both files are gone then" 2 ls pid pgrp

rm -f up
start dpipe ./waiter 1 = cat = cat
wait_for lines up 1
pkill -KILL -P "$started" -f waiter
check "a killed command ends the chain" wait_for gone "$started"

zombies()
{
	pgrep -c -r Z -P "$1"
}
rm -f up
start dpipe true = ./waiter 2 = ./waiter 3
wait_for lines up 2
pkill -KILL -P "$started" -f 'waiter 2'
no_zombies()
{
	[ "$(zombies "$started")" -eq 0 ] &&
		[ "$(pgrep -P "$started" | wc -l)" -eq 1 ]
}
check "commands that ended are not left as zombies" wait_for no_zombies
stop "$started" TERM

# --- files and background --------------------------------------------------

echo 1 >busy
check_fails "a pidfile of a living process is not touched" 1 \
	dpipe -p busy true = true
is "it is still what it was" "$(cat busy)" 1
check_fails "an unwritable pgrpfile stops the start" 1 \
	dpipe -p pid -P nodir/pgrp true = true
check_fails "and the other file is removed" 2 ls pid
bash -c 'echo $$' >stale
check "a file left behind by a dead process is replaced" \
	dpipe -p stale true = true

rm -f up got
check "-d comes back when the commands run" \
	timeout 10 dpipe -d -p pid ./waiter 1 = ./waiter 2
d=$(cat pid)
pids+=("$d")
started_as[$d]=dpipe
wait_for lines up 2
check "the chain runs on" alive "$d"
is "in a session of its own" "$(ps -o sid= -p "$d" | tr -d ' ')" "$d"
kill "$d"
wait_for gone "$d"
is "SIGTERM reaches all commands" "$(sort got | tr '\n' ,)" \
	"1 got TERM,2 got TERM,"
check_fails "its pidfile is gone" 2 ls pid
check_fails "-d tells when a command cannot be run" 127 \
	timeout 10 dpipe -d -p pid cat = ./nosuch
check_fails "and leaves no pidfile" 2 ls pid
out=$(timeout 10 dpipe -d cat = sh -c 'sleep 0.1') # the pipe of $() is free
is "a background chain holds none of the caller's output" $? 0

exec {fd}<> <(:)
timeout 10 dpipe --ready-fd "$fd" true = true
read -rt 5 -u "$fd" line
is "--ready-fd gets a newline" "$?,$line" 0,
check_fails "--ready-fd that is not open is refused" 2 \
	timeout 10 dpipe --ready-fd 99 true = true

# --- -n and -N -------------------------------------------------------------

check_fails "-n ends with the last command's status" 7 \
	timeout 10 dpipe -n cat = sh -c 'exit 7'
start dpipe -n -p pid -P pgrp cat = sleep 60
wait_for grep -q sleep "/proc/$started/comm"
is "-n becomes the last command" "$(cat pid)" "$started"
is "and has no children" "$(pgrep -P "$started" | wc -l)" 0
kill "$started"
check "its files vanish with it" wait_for eval '! ls pid pgrp'
start dpipe -N -p pid cat = true
wait_for gone "$started"
is "-N leaves them" "$(cat pid)" "$started"
rm -f pid
check_fails "-n with a last command that does not exist is 127" 127 \
	timeout 10 dpipe -n -p pid cat = ./nosuch

done_testing
