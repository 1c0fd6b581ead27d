// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames that wait to be filled are kept from one reception to the next: only
 * those that were handed on are replaced.
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
		b->frames[b->n++] = f;
	}
	return b->n < budget ? b->n : budget;
}

/* The order of empty frames means nothing: the last ones fill the gap. */
void rx_batch_consumed(struct rx_batch *b, int n)
{
	for (int i = 0; i < n; i++)
		b->frames[i] = b->frames[--b->n];
}

void rx_batch_fini(struct rx_batch *b)
{
	for (int i = 0; i < b->n; i++)
		frame_unref(b->frames[i]);
	b->n = 0;
}
