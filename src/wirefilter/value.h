/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * value - a parameter of the wire, as people write it
 *
 *   [LR|RL] NUM [+NUM] [UNIT] [SUFFIX] [SHAPE] [~NUM] ["[" NODE "]"]
 *
 *   LR, RL   that direction only; both without it
 *   NUM      not negative: 10, 2.5, .5, 1e6
 *   +NUM     how much it varies; each frame has a draw of its own
 *   UNIT     that of the parameter, if it has one: 5%, 10+5ms
 *   SUFFIX   K, M, G: times 2^10, 2^20, 2^30, both numbers. Where bytes are
 *            counted also b, Kb, Mb, Gb: bits, times 10^0, 10^3, 10^6, 10^9
 *            (8Kb is 1000 bytes), and B, which changes nothing (8KB is 8K)
 *   SHAPE    what +NUM means, and how draws are distributed: dist.h
 *              U or :uniform, the default    half of the width
 *              N                             three standard deviations
 *              :normal :pareto :paretonormal the standard deviation
 *              :NAME, any other              the standard deviation, of the
 *                                            table that has this name
 *   ~NUM     correlation of successive draws, percent
 *   [NODE]   of the Markov chain; 0 without it
 *
 * That is VDE 2's syntax with named shapes, correlation, and bits. Suffixes, U
 * and N are of any case, blanks may stand between the parts. VDE 2 ignores
 * what it does not understand, here it is an error.
 */
#ifndef WIREFILTER_VALUE_H
#define WIREFILTER_VALUE_H

#include "base/strbuf.h"

#define VALUE_NAME 32 /* of a table, with the NUL */
#define VALUE_NODE_MAX 65535

enum value_shape {
	VALUE_UNIFORM,
	VALUE_GAUSS, /* N */
	VALUE_NORMAL,
	VALUE_PARETO,
	VALUE_PARETONORMAL,
	VALUE_TABLE,
	VALUE_N_SHAPES
};

struct value {
	double num, plus; /* not negative, finite */
	double corr; /* 0..100 */
	enum value_shape shape;
	char table[VALUE_NAME]; /* of VALUE_TABLE, else empty */
};

enum value_direction {
	VALUE_BOTH,
	VALUE_LR,
	VALUE_RL
};

struct value_setting {
	enum value_direction direction;
	unsigned int node; /* at most VALUE_NODE_MAX; may not exist */
	struct value value;
};

/* What a parameter takes: nought, or @least to @max. */
struct value_rule {
	const char *name; /* for messages */
	double least, max;
	bool below; /* @max itself is too much */
	bool bytes; /* or bytes per something: may be given in bits */
	const char *unit; /* may stand behind the numbers; NULL: nothing may */
};

/* False after saying in @why what is wrong, with name and @text; the setting
 * is untouched then. */
bool value_parse(struct value_setting *, const char *text,
		 const struct value_rule *, struct strbuf *why);

/* As VDE 2 shows it, six digits of each number: "100+50N". */
void value_print(struct strbuf *, const struct value *);

/* The same with all digits that it takes to read the same value again. */
void value_print_exact(struct strbuf *, const struct value *);

#endif
