// SPDX-License-Identifier: GPL-2.0-or-later
#include "plug/finish.h"

#include <stdlib.h>

#define ROOM ((size_t)FINISH_BATCH * ETHER_MAX_LEN)

static void emit(struct finish *fi, void *data, size_t len)
{
	fi->out[fi->n++] = (struct vde_frame){ data, len, { 0 } };
}

static bool start(struct finish *fi, const struct vde_frame *f,
		  const struct frame_offload *o)
{
	if (!fi->room)
		fi->room = malloc(ROOM);
	if (!fi->room || !offload_cut_start(&fi->cut, f->data, f->len, o, NULL))
		fi->refused++;
	else if (offload_cut_len(&fi->cut) > ETHER_MAX_LEN)
		fi->too_long++; /* the first is the longest */
	else
		return true;
	return false;
}

static void go_on(struct finish *fi)
{
	while (fi->n < FINISH_BATCH) {
		uint8_t *p = fi->room + fi->used;
		ssize_t len = offload_cut_copy(&fi->cut, p, ROOM - fi->used);

		if (len <= 0) {
			fi->cutting = false;
			return;
		}
		emit(fi, p, (size_t)len);
		fi->used += (size_t)len;
	}
}

/* Whatever does not take a while. */
static void finish_one(struct finish *fi, const struct vde_frame *f,
		       unsigned int takes)
{
	struct frame_offload o = batch_offload(f);

	if (!finish_is_needed(f, takes))
		fi->out[fi->n++] = *f;
	else if (o.gso_type != FRAME_GSO_NONE)
		fi->cutting = start(fi, f, &o);
	else if (offload_csum(f->data, f->len, &o))
		emit(fi, f->data, f->len);
	else
		fi->refused++;
}

int finish_frames(struct finish *fi, const struct vde_frame *in, int n,
		  unsigned int takes)
{
	int i;

	fi->n = 0;
	fi->used = 0;
	for (i = 0; i < n && fi->n < FINISH_BATCH; i++) {
		if (!fi->cutting)
			finish_one(fi, &in[i], takes);
		if (fi->cutting)
			go_on(fi);
		if (fi->cutting)
			break;
	}
	return i;
}

void finish_fini(struct finish *fi)
{
	free(fi->room);
	fi->room = NULL;
}
