/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vlan - which ports belong to a VLAN, and to which VLAN a frame belongs
 *
 * Terms of IEEE 802.1Q-2018: a port's PVID is the VLAN of untagged frames
 * that arrive (6.9); the member set is tagged and untagged ports together
 * (8.8.10); a tag with VID 0 carries a priority only (9.6).
 */
#ifndef SWITCH_VLAN_H
#define SWITCH_VLAN_H

#include "base/bits.h"
#include "base/frame.h"

struct vlan {
	uint16_t id;
	uint64_t *tagged; /* ports that send with a tag */
	uint64_t *untagged; /* ports whose PVID this is */
	uint64_t *flood; /* members that are open and may forward, */
	uint64_t flood_at; /* as of this one of br->changes */
	bool gated; /* these two count: */
	uint64_t *learning; /* ports that learn in its spanning tree, */
	uint64_t *forwarding; /* and those among them that forward */
};

/* NULL without memory; @words is the size of each bitmap. */
struct vlan *vlan_new(unsigned int id, size_t words);
void vlan_free(struct vlan *);
/* The port is removed. */
void vlan_forget(struct vlan *, unsigned int port);
/* Keeps the members below the new size. 0 or -ENOMEM. */
int vlan_resize(struct vlan *, size_t old_words, size_t words);

static inline bool vlan_is_member(const struct vlan *v, unsigned int port)
{
	return bits_test(v->tagged, port) || bits_test(v->untagged, port);
}

enum vlan_form {
	VLAN_UNTAGGED,
	VLAN_TAGGED,
	VLAN_BROKEN
};

/* Moves an 802.1Q tag, if the frame begins with one, from the bytes to
 * f->tci; a frame without has tci 0. VLAN_BROKEN: the frame ends inside its
 * tag or type. @f has at least ETHER_HDR_LEN bytes. */
enum vlan_form vlan_untag(struct frame *f);

#endif
