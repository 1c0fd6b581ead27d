/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wireprobe - what the modes of the probe of wires share
 *
 * The subject is a program that passes frames on between its left side, which
 * is its standard input and output, and its right side, the descriptors named
 * by ALTERNATE_STDIN and ALTERNATE_STDOUT, as in a chain of dpipe. The probe
 * starts it and holds all four pipes. Without a command the pipes are joined,
 * and what is measured is the probe itself.
 *
 * A frame of the probe has a number, and the time when it was sent, behind its
 * Ethernet header; the rest of it is a pattern. What arrives with another
 * length or pattern is damaged.
 */
#ifndef BENCH_WIREPROBE_H
#define BENCH_WIREPROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stream.h"

#define PROBE_MS UINT64_C(1000000)
#define PROBE_SEC UINT64_C(1000000000)
#define PROBE_BUF ((size_t)1 << 16) /* what a pipe takes at once */
#define PROBE_LEN_MIN 22 /* room for the number */
#define PROBE_LEN_STAMPED 30 /* and the time */
#define PROBE_HELLO UINT64_MAX /* the number of frames that do not count */

struct probe_options {
	const char *left, *right; /* locators, for a subject that runs */
	int64_t len, ms;
	int64_t rate; /* frames or bytes per second, by the mode */
	int64_t delay_us; /* what is asked of the subject */
	int64_t window; /* bytes on their way */
	int64_t pid; /* of a subject that runs, or 0 */
	char **command; /* NULL at the end; none: pipes only */
};

typedef void probe_mode_fn(const struct probe_options *);
probe_mode_fn wire_rate_mode, wire_flood_mode, wire_delay_mode, wire_tcp_mode;

/* A subject, or joined pipes (pid 0). Directions are 0 L->R, 1 R->L. */
struct subject {
	pid_t pid;
	int to[2], from[2]; /* by direction: where it begins, where it ends */
};
void subject_start(struct subject *, char **command);
/* A pipe is 64 KiB, half a millisecond at 125 MB/s: who gets the processor less
 * often than that never has more on its way. Longer ones for such rates. */
void subject_widen(const struct subject *, int64_t rate);
void subject_stop(struct subject *);
/* Ends the program if the subject has ended by itself. */
void subject_check(const struct subject *);

uint64_t probe_now(void); /* ns, monotonic */
void probe_sleep_until(uint64_t ns);
uint64_t probe_cpu(pid_t); /* processor time of a process, ns; 0 for pid 0 */
void *probe_shared(size_t size); /* zeroed, inherited by children */
void probe_nonblock(int fd);

struct probe_tally {
	uint64_t got, lost, doubled, damaged;
	uint64_t next; /* number that is expected */
};

void probe_fill(uint8_t *frame, size_t len, uint64_t number, uint64_t stamp);
/* False: it is damaged, which is counted. */
bool probe_read(struct probe_tally *, const uint8_t *frame, size_t got,
		size_t len, uint64_t *number, uint64_t *stamp);
/* A frame with this number has come; hellos are none. */
void probe_count(struct probe_tally *, uint64_t number);

/* Reads once, whatever is there. 0: the end, -EAGAIN: nothing. */
ssize_t probe_fill_stream(struct stream *, int fd);
void probe_stream_init(struct stream *);
/* Writes what is pending, as far as it goes; blocks if @fd does. */
void probe_flush(struct stream *, int fd);

#endif
