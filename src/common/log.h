/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - messages of a program: to stderr, or to syslog once it is a daemon
 *
 * Grammar: "PROG: LEVEL: unable to VERB OBJECT: REASON", lower case, no full
 * stop, no newline. What a peer can trigger goes through log_msg_rl().
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdint.h>
#include <syslog.h>

/* @argv0 is kept; its base name is the program's name in every message. */
void log_open(const char *argv0, int level);
void log_set_level(int level);
/* From now on to syslog. */
void log_to_syslog(void);
/* From now on a message that stderr does not take at once, a full pipe or a
 * terminal that was stopped, is dropped and counted. For programs that have
 * more to do than to talk. */
void log_never_wait(void);
/* The name that messages begin with. */
const char *log_name(void);

void log_msg(int level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* At most a burst of 10 and then one message a second; says how many were
 * left out. One struct per kind of message, zero to start with. */
struct log_limit {
	uint64_t window; /* second of the current window */
	unsigned int sent, left_out;
};
void log_msg_rl(struct log_limit *, uint64_t now_ns, int level, const char *fmt,
		...) __attribute__((format(printf, 4, 5)));

#define log_warn_rl(limit, now_ns, ...) \
	log_msg_rl(limit, now_ns, LOG_WARNING, __VA_ARGS__)

#define log_err(...) log_msg(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_msg(LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_msg(LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_msg(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_msg(LOG_DEBUG, __VA_ARGS__)

#endif
