// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that wait to be filled are kept from one reception to the next: only
 * those that were handed on are replaced. The replacements are used first:
 * they were in use a moment ago, so their bytes are still in the cache.
 */
#include "switch/vswitch.h"

int rx_batch_prepare(struct vswitch *sw, const struct endpoint *ep)
{
	int budget = endpoint_budget(ep, loop_ready(sw->loop));
	struct rx_batch *b = &sw->rx;

	while (b->n < budget) {
		struct frame *f = frame_new(sw->br->pool);

		if (!f)
			break;
		b->n++;
		b->frames = b->room + BATCH_MAX - b->n;
		b->frames[0] = f;
	}
	return b->n < budget ? b->n : budget;
}

void rx_batch_consumed(struct rx_batch *b, int n)
{
	b->frames += n;
	b->n -= n;
}

void rx_batch_fini(struct rx_batch *b)
{
	for (int i = 0; i < b->n; i++)
		frame_unref(b->frames[i]);
	b->n = 0;
}
