/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics - samples in Prometheus' text exposition format 0.0.4, or as JSON
 *
 * The data of a command: a list of metrics, each with a heading and its
 * samples, whose labels come before their values.
 *
 *     writer_list(w, "metrics");
 *     metrics_begin(&m, "frames_total", METRIC_COUNTER, "frames that left");
 *     metrics_label(&m, "way", "out");
 *     metrics_value(&m, 7);
 *     metrics_end(&m);
 *     writer_close(w);
 *
 * says prog_frames_total{way="out"} 7, with the prefix "prog_".
 */
#ifndef COMMON_METRICS_H
#define COMMON_METRICS_H

#include "common/writer.h"

enum metric_type {
	METRIC_COUNTER, /* its name ends in _total */
	METRIC_GAUGE,
	METRIC_N_TYPES
};

struct metric;

/* What is being written. */
struct metrics {
	struct writer *w;
	const char *prefix; /* of all names */
	const char *name; /* of the metric at hand, without it */
	const struct metric *row; /* the caller's, if it has one */
	bool labels; /* of a sample whose value is to come */
};

/* The heading. @name, without the prefix, must live till metrics_end(). */
void metrics_begin(struct metrics *, const char *name, enum metric_type,
		   const char *help);
void metrics_end(struct metrics *);

/* The labels of the next sample, then its value. Text may be anything: what
 * is no UTF-8, or a control character, becomes '?'. */
void metrics_label(struct metrics *, const char *name, const char *value);
void metrics_label_num(struct metrics *, const char *name, unsigned int value);
void metrics_value(struct metrics *, uint64_t value);
/* What is no number is NaN, or null. */
void metrics_real(struct metrics *, double value);

#endif
