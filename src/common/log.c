// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The only file with variables of its own: a process has one log.
 */
#include "common/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_LEN 1024
#define BURST 10

static struct {
	const char *name;
	int level;
	bool syslog;
	bool never_wait;
	unsigned int lost; /* messages that stderr did not take */
} lg = { .name = "?", .level = LOG_NOTICE };

static const char *level_name(int level)
{
	switch (level) {
	case LOG_ERR:
		return "error: ";
	case LOG_WARNING:
		return "warning: ";
	case LOG_DEBUG:
		return "debug: ";
	default:
		return "";
	}
}

void log_open(const char *argv0, int level)
{
	const char *slash = strrchr(argv0, '/');

	lg.name = slash ? slash + 1 : argv0;
	lg.level = level;
}

void log_set_level(int level)
{
	lg.level = level;
}

void log_to_syslog(void)
{
	openlog(lg.name, LOG_PID, LOG_DAEMON);
	lg.syslog = true;
}

void log_never_wait(void)
{
	lg.never_wait = true;
}

const char *log_name(void)
{
	return lg.name;
}

/* A pipe that polls writable takes PIPE_BUF bytes without blocking. */
static bool stderr_is_ready(void)
{
	struct pollfd p = { .fd = 2, .events = POLLOUT };

	return !lg.never_wait || poll(&p, 1, 0) != 0;
}

static void put(int level, const char *line)
{
	if (!stderr_is_ready()) {
		lg.lost++;
		return;
	}
	if (lg.lost)
		fprintf(stderr, "%s: warning: %u messages were lost\n", lg.name,
			lg.lost);
	lg.lost = 0;
	if (stderr_is_ready())
		fprintf(stderr, "%s: %s%s\n", lg.name, level_name(level), line);
	else
		lg.lost = 1;
}

static void __attribute__((format(printf, 2, 0)))
log_v(int level, const char *fmt, va_list ap)
{
	char line[LINE_MAX_LEN];

	if (level > lg.level)
		return;
	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		return;
	/* What a peer or a file wrote must not look like another message, or
	 * command a terminal. */
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (lg.syslog)
		syslog(level, "%s%s", level_name(level), line);
	else
		put(level, line);
}

void log_msg(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_v(level, fmt, ap);
	va_end(ap);
}

void log_msg_rl(struct log_limit *rl, uint64_t now_ns, int level,
		const char *fmt, ...)
{
	uint64_t second = now_ns / 1000000000 + 1;
	va_list ap;

	if (level > lg.level)
		return;
	if (second > rl->window + BURST)
		rl->sent = 0;
	else if (second > rl->window && rl->sent >= BURST)
		rl->sent = BURST - 1;
	rl->window = second;
	if (rl->sent >= BURST) {
		rl->left_out++;
		return;
	}
	rl->sent++;
	if (rl->left_out)
		log_msg(level,
			"%u more messages like the next one were left out",
			rl->left_out);
	rl->left_out = 0;
	va_start(ap, fmt);
	log_v(level, fmt, ap);
	va_end(ap);
}
