/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * input - what a fuzzer gives, taken piece by piece; zeros when it is used up
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct input {
	const uint8_t *p;
	size_t left;
};

static inline uint32_t take(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->p++;
}

static inline uint32_t take16(struct input *in)
{
	uint32_t v = take(in);

	return v << 8 | take(in);
}

static inline uint32_t take32(struct input *in)
{
	uint32_t v = take16(in);

	return v << 16 | take16(in);
}

/* As assert(), in every build. */
static inline void must(bool ok)
{
	if (!ok)
		abort();
}

#endif
