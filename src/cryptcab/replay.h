/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay - which of the last counters were seen: nothing arrives twice
 *
 * A ring of bits behind the greatest counter so far. Counters come in any
 * order; one more than REPLAY_WINDOW behind the greatest is too old, because
 * nobody remembers whether it was seen. A step forward clears whole words, at
 * most all of them, and everything else is one bit: the cost does not depend
 * on the numbers. Ask first, authenticate, then mark: a forged packet must not
 * move the window.
 */
#ifndef CRYPTCAB_REPLAY_H
#define CRYPTCAB_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WORDS 128 /* a power of two */
/* The word of the greatest counter is only partly behind it. */
#define REPLAY_WINDOW ((REPLAY_WORDS - 1) * 64)

/* All zero: nothing was seen. */
struct replay {
	uint64_t next; /* one above the greatest */
	uint64_t bits[REPLAY_WORDS];
};

enum replay_verdict {
	REPLAY_NEW,
	REPLAY_SEEN,
	REPLAY_OLD
};

enum replay_verdict replay_check(const struct replay *, uint64_t counter);

/* @counter is REPLAY_NEW; true: and the greatest so far. */
bool replay_mark(struct replay *, uint64_t counter);

#endif
