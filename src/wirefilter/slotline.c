// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/slotline.h"

void slotline_init(struct slotline *l, uint32_t bytes)
{
	*l = (struct slotline){ .bytes = bytes };
}

void slotline_next(struct slotline *l, uint64_t at)
{
	l->at = at;
	l->left = l->bytes;
}

bool slotline_send(struct slotline *l, uint64_t ready, uint32_t *todo,
		   uint64_t *leaves)
{
	uint32_t now;

	/* It is over: nobody else was waiting for it. */
	if (l->at <= ready)
		l->left = 0;
	now = l->left < *todo ? l->left : *todo;
	l->left -= now;
	*todo -= now;
	if (*todo)
		return false;
	*leaves = l->at > ready ? l->at : ready;
	return true;
}
