/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * script_impl - what parser and interpreter of the script language share:
 * a script as rows of struct instr, each with the row of the table of
 * instructions that it calls
 */
#ifndef TERM_SCRIPT_IMPL_H
#define TERM_SCRIPT_IMPL_H

#include "base/util.h"
#include "term/script.h"

#define SCRIPT_NUM_MAX 999999999

struct instr;
typedef void op_fn(struct script_run *, const struct instr *);

enum op_args {
	ARGS_NONE,
	ARGS_TEXT,
	ARGS_TEXT_LABEL,
	ARGS_LABEL,
	ARGS_NUM,
	ARGS_MAYBE_NUM,
	ARGS_NUM_OR_TEXT,
};

struct op {
	const char *name;
	enum op_args args;
	op_fn *fn;
};

struct instr {
	unsigned int num, line;
	const struct op *op;
	const char *text; /* in the script's pool, or NULL */
	size_t len;
	long n; /* the number or, after parsing, the label */
	size_t target; /* index of the instruction that @n names */
};

struct script {
	struct instr *ins;
	size_t n, size;
	char *pool; /* of all texts: no longer than the source */
	size_t used;
	unsigned int timeout_ms;
};

/* The instruction of that name, or NULL. */
const struct op *script_op(const char *name, size_t len);

#endif
