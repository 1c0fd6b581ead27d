// SPDX-License-Identifier: GPL-2.0-or-later
#include "switch/vlan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct vlan *vlan_new(unsigned int id, size_t words)
{
	struct vlan *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->id = (uint16_t)id;
	if (vlan_resize(v, 0, words)) {
		free(v);
		return NULL;
	}
	return v;
}

void vlan_free(struct vlan *v)
{
	if (!v)
		return;
	free(v->tagged); /* its bitmaps share one allocation */
	free(v);
}

int vlan_resize(struct vlan *v, size_t old_words, size_t words)
{
	uint64_t **const sets[] = { &v->tagged, &v->untagged, &v->flood,
				    &v->learning, &v->forwarding };
	size_t keep = size_min(old_words, words) * sizeof(uint64_t);
	uint64_t *b = calloc(ARRAY_SIZE(sets) * words, sizeof(uint64_t));
	uint64_t *old = v->tagged;

	if (!b)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++, b += words) {
		if (keep)
			memcpy(b, *sets[i], keep);
		*sets[i] = b;
	}
	free(old);
	return 0;
}

void vlan_forget(struct vlan *v, unsigned int port)
{
	bits_clear(v->tagged, port);
	bits_clear(v->untagged, port);
	bits_clear(v->flood, port);
	bits_clear(v->learning, port);
	bits_clear(v->forwarding, port);
}

/* The addresses move over the tag; cheaper than moving the payload. */
enum vlan_form vlan_untag(struct frame *f)
{
	uint8_t *p = f->data;
	uint16_t tci;

	if (ether_be16(p + FRAME_ADDRS) != ETHERTYPE_VLAN) {
		f->tci = 0;
		return VLAN_UNTAGGED;
	}
	if (f->len < ETHER_HDR_LEN + ETHER_TAG_LEN)
		return VLAN_BROKEN;
	tci = ether_be16(p + FRAME_ADDRS + 2);
	memmove(p + ETHER_TAG_LEN, p, FRAME_ADDRS);
	f->data += ETHER_TAG_LEN;
	f->len -= ETHER_TAG_LEN;
	frame_set_tci(f, tci);
	return VLAN_TAGGED;
}
