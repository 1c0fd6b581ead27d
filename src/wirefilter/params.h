/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * params - all that can be set for one direction of a wire
 *
 * A setting has a name, which is a command of the console and an option of the
 * command line alike, and a text. Most are a value (value.h), which may vary
 * from frame to frame; the others have a form of their own. `param_rows` has
 * them in their order along the wire, which is that of impair.h.
 *
 * A set may be incomplete: @has says what was set. What a class of frames has
 * not is taken from the wire's own set, which is complete.
 */
#ifndef WIREFILTER_PARAMS_H
#define WIREFILTER_PARAMS_H

#include "wirefilter/aqm.h"
#include "wirefilter/dist.h"
#include "wirefilter/loss.h"
#include "wirefilter/value.h"

enum param {
	PARAM_MTU, /* bytes */
	PARAM_LOSS, /* % */
	PARAM_LOSTBURST, /* frames */
	PARAM_DUP, /* % */
	PARAM_CHANBUFSIZE, /* bytes */
	PARAM_LIMIT, /* frames */
	PARAM_SPEED, /* bytes/s */
	PARAM_BANDWIDTH, /* bytes/s */
	PARAM_BURST, /* bytes, the bucket of the bandwidth */
	PARAM_DELAY, /* ms */
	PARAM_REORDER, /* % */
	PARAM_NOISE, /* flipped bits per 2^20 bytes, as VDE 2 counts them */
	PARAM_CORRUPT, /* % of frames, one bit of each */
	PARAM_BER, /* probability of each bit, in millionths */
	PARAM_N_VALUES,
	/* forms of their own */
	PARAM_GILBERT = PARAM_N_VALUES, /* loss_gilbert_parse() */
	PARAM_LOSSPERIOD, /* loss_period_parse() */
	PARAM_LOSSLIST, /* loss_list_parse(); "0": none */
	PARAM_QDISC, /* see params_qdisc_parse() */
	PARAM_N
};

struct param_row {
	const char *name, *alias; /* @alias may be NULL */
	const char *unit; /* "ms"; NULL for a form */
	const char *help;
	struct value_rule rule; /* of a value */
};
extern const struct param_row param_rows[PARAM_N];

/* By name or alias; PARAM_N: there is none. */
enum param param_find(const char *name);

/* A list that several sets use. */
struct loss_shared {
	unsigned int refs;
	struct loss_list *list;
};

struct params {
	uint32_t has; /* 1 << PARAM_x: set, if only to its default */
	struct value value[PARAM_N_VALUES];
	struct dist dist[PARAM_N_VALUES]; /* the same, to draw from */
	struct loss loss; /* @list in it is that of @list here */
	struct loss_shared *list; /* a reference, or NULL */
	struct aqm_config aqm; /* no limits here: chanbufsize and limit */
};

/* Nothing impairs, nothing is set. */
void params_init(struct params *);
/* Drops its reference to a list. */
void params_fini(struct params *);
/* @to, which is initialised, becomes as @from; a list belongs to both. */
void params_copy(struct params *to, const struct params *from);
/* What @own has not set becomes as in @wire. */
void params_inherit(struct params *own, const struct params *wire);

/* True if frames pass as they are: fast. */
bool params_clear(const struct params *);

/* Where tables of distributions are found by name: NULL if there is none. */
struct param_tables {
	const struct dist_table *(*find)(void *ctx, const char *name);
	void *ctx;
};

/* "[LR|RL] FORM [ "[" NODE "]" ]", the frame of all settings. False after
 * saying in @why what is wrong; then nothing has changed. @which is
 * VALUE_BOTH, VALUE_LR or VALUE_RL, @node 0 without one. What is left of @text
 * is *@form, @form_len bytes. */
bool params_split(const char *text, const char *name,
		  enum value_direction *which, unsigned int *node,
		  const char **form, size_t *form_len, struct strbuf *why);

struct param_setting {
	enum param param;
	enum value_direction direction;
	unsigned int node;
	struct value value;
	struct dist dist;
	struct loss_gilbert gilbert;
	struct loss_period period;
	struct loss_shared *list; /* a reference, or NULL */
	struct aqm_config aqm;
};

/* Reads any setting. False after saying in @why what is wrong with the text:
 * it names the setting and the value. */
bool param_parse(struct param_setting *, enum param, const char *text,
		 const struct param_tables *, struct strbuf *why);
void param_setting_fini(struct param_setting *);
/* One direction gets what was read. */
void params_set(struct params *, const struct param_setting *);

/* As it would be set again, without direction and node. */
void params_print(struct strbuf *, const struct params *, enum param);

/*
 * "tail", the default: nothing is dropped but by chanbufsize and limit.
 * "red MIN,MAX,PROB,LIMIT": bytes, bytes, percent, bytes (0: no limit); by what
 *     waits just now. The last may be left out.
 * "red-average MIN,MAX,PROB[,LIMIT]": the same by Floyd and Jacobson's average.
 * "codel [TARGET,INTERVAL]": ms, 5 and 100 if not given. RFC 8289.
 * False after saying in @why what is wrong.
 */
bool params_qdisc_parse(struct aqm_config *, const char *text, size_t len,
			struct strbuf *why);

#endif
