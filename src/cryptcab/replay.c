/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay - a ring of bits, one for each counter behind the greatest
 */
#include "cryptcab/replay.h"

static unsigned int word_of(uint64_t counter)
{
	return counter / 64 % REPLAY_WORDS;
}

enum replay_verdict replay_check(const struct replay *r, uint64_t counter)
{
	/* The last one would leave no next. */
	if (counter == UINT64_MAX)
		return REPLAY_OLD;
	if (counter >= r->next)
		return REPLAY_NEW;
	if (r->next - counter > REPLAY_WINDOW)
		return REPLAY_OLD;
	return r->bits[word_of(counter)] >> counter % 64 & 1 ? REPLAY_SEEN
							     : REPLAY_NEW;
}

/* The words that the greatest counter enters by going to @counter. */
static void advance(struct replay *r, uint64_t counter)
{
	uint64_t from = r->next ? (r->next - 1) / 64 : 0, n = counter / 64;

	if (n - from > REPLAY_WORDS)
		from = n - REPLAY_WORDS;
	while (from < n)
		r->bits[++from % REPLAY_WORDS] = 0;
	r->next = counter + 1;
}

bool replay_mark(struct replay *r, uint64_t counter)
{
	bool greatest = counter >= r->next;

	if (greatest)
		advance(r, counter);
	r->bits[word_of(counter)] |= UINT64_C(1) << counter % 64;
	return greatest;
}
