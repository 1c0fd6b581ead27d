#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# run.sh BUILD SECONDS TARGET... - look for inputs that break a parser
#
# Each target runs for SECONDS. It starts from the stored inputs in
# tests/fuzz/corpus/TARGET and keeps what it learns in BUILD/corpus/TARGET; an
# input that breaks it is left as BUILD/TARGET-crash-*, and belongs into the
# stored ones together with the fix.
build=$1 seconds=$2
shift 2
broken=0 done=0
for t; do
	found=$build/corpus/$t stored=tests/fuzz/corpus/$t
	mkdir -p "$found"
	[ -d "$stored" ] || stored=
	echo "  FUZZ  $t for $seconds s"
	# shellcheck disable=SC2086
	if "$build/fuzz/$t" -max_total_time="$seconds" -timeout=10 \
		-rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix="$build/$t-" "$found" $stored \
		>"$build/$t.log" 2>&1; then
		sed -n 's/^stat::number_of_executed_units: */        runs: /p' \
			"$build/$t.log"
		done=$((done + 1))
	else
		tail -n 40 "$build/$t.log"
		broken=$((broken + 1))
	fi
done
echo "$done passed, $broken failed, 0 skipped"
[ "$broken" -eq 0 ]
