#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# metrics-http.sh - the switch's metrics for Prometheus, by HTTP
#
#	metrics-http.sh MGMT [PORT [ADDRESS]]
#
# Answers every request to PORT (9477) of ADDRESS (127.0.0.1) with what
# `metrics` says at the management socket MGMT; needs socat. As a target of
# Prometheus:
#
#	- job_name: vde
#	  static_configs: [ { targets: [ '127.0.0.1:9477' ] } ]
#
# Where node_exporter runs anyway, its textfile collector does the same without
# another port: every minute, from cron,
#
#	unixcmd -s MGMT metrics >DIR/vde.tmp && mv DIR/vde.tmp DIR/vde.prom
set -eu

if [ "${1:-}" != --answer ]; then
	MGMT=${1:?usage: metrics-http.sh MGMT [PORT [ADDRESS]]}
	export MGMT
	exec socat -T 10 \
		"TCP-LISTEN:${2:-9477},bind=${3:-127.0.0.1},reuseaddr,fork,max-children=8" \
		SYSTEM:"\"$0\" --answer"
fi

# One request. What it asks for does not matter, but it must have been read.
cr=$(printf '\r')
while IFS= read -r line && [ -n "${line%"$cr"}" ]; do :; done
if metrics=$(unixcmd -s "$MGMT" metrics); then
	printf '%s\r\n' 'HTTP/1.0 200 OK' \
		'Content-Type: text/plain; version=0.0.4; charset=utf-8' ''
	printf '%s\n' "$metrics"
else
	printf '%s\r\n' 'HTTP/1.0 503 Service Unavailable' ''
fi
