/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mactab - on which port was a station last seen
 *
 * The key is VLAN and address, independent learning (IEEE 802.1Q-2018 8.8).
 * Memory is bounded whatever addresses peers invent, and fair: a port that
 * floods the table replaces its own entries, never those of a quieter port.
 * Times are seconds of the caller's monotonic clock.
 *
 * A sticky entry stays where it is: it does not expire, move or give way to
 * another, and only mactab_forget() removes it. At most half of the largest
 * table is sticky, so others always find room.
 */
#ifndef SWITCH_MACTAB_H
#define SWITCH_MACTAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACTAB_MAX_SLOTS (1u << 18)
#define MACTAB_MIN_SLOTS 16u
#define MACTAB_MAX_STICKY (MACTAB_MAX_SLOTS / 2)

/* Why an entry is sticky, bits: */
#define MACTAB_STICKY_PORT 1u /* so is all that its port learns */
#define MACTAB_STICKY_HAND 2u /* somebody asked for this very one */

struct mactab;

struct mactab_entry {
	uint64_t key; /* mactab_key() */
	uint32_t seen_s;
	uint16_t port;
	uint16_t sticky; /* MACTAB_STICKY_*, or 0 */
	size_t slot; /* its place in the table */
};

enum mactab_result {
	MACTAB_KNOWN, /* refreshed */
	MACTAB_NEW,
	MACTAB_MOVED, /* to another port */
	MACTAB_KEPT, /* on its old port, which spoke too recently */
	MACTAB_FULL, /* not learned: only quieter ports' entries to replace */
	MACTAB_STICKY, /* on its old port, where it is to stay */
};

/* @slots is rounded up to a power of two; the table doubles by itself up to
 * MACTAB_MAX_SLOTS. Ports are 0..@n_ports-1. NULL without memory. */
struct mactab *mactab_new(size_t slots, size_t n_ports, uint64_t secret);
void mactab_free(struct mactab *);

static inline uint64_t mactab_key(unsigned int vlan, uint64_t addr)
{
	/* bit 60 keeps VLAN 0, address 0 apart from a free slot */
	return UINT64_C(1) << 60 | (uint64_t)vlan << 48 | addr;
}

static inline uint64_t mactab_addr(uint64_t key)
{
	return key & UINT64_C(0xffffffffffff);
}

static inline unsigned int mactab_vlan(uint64_t key)
{
	return key >> 48 & 0xfff;
}

/* On MACTAB_MOVED, MACTAB_KEPT and MACTAB_STICKY, @old is the port the station was on. */
enum mactab_result mactab_learn(struct mactab *, uint64_t key,
				unsigned int port, uint32_t now_s,
				unsigned int *old);
/* True if a lookup is likely to miss the processor's cache. */
bool mactab_is_big(const struct mactab *);
/* Starts to bring what a lookup of @key reads into the cache. */
void mactab_prefetch(const struct mactab *, uint64_t key);
/* The port, or -1. */
int mactab_find(struct mactab *, uint64_t key, uint32_t now_s);

/* The same with all that is known of it; false if nothing is. */
bool mactab_get(const struct mactab *, uint64_t key, uint32_t now_s,
		struct mactab_entry *);

/* Forgets what was learned on @port in @vlan; either may be -1 for all. What
 * is sticky stays. */
void mactab_flush(struct mactab *, int port, int vlan);
/* The same with what is sticky: the port has left the VLAN, or is no more. */
void mactab_forget(struct mactab *, int port, int vlan);
/* Forgets all that @which says yes to: one pass, however many ports and VLANs
 * there are in it. */
typedef bool mactab_which_fn(void *ctx, unsigned int vlan, unsigned int port);
void mactab_flush_if(struct mactab *, mactab_which_fn *which, void *ctx);

/* Forgets every entry that has expired; returns the second before which
 * nothing can expire, or 0 if the table is empty. */
uint32_t mactab_expire(struct mactab *, uint32_t now_s);

/* ---- what guards of ports need ---- */

/* Forgets that one, if it is not sticky. */
void mactab_drop(struct mactab *, uint64_t key);
/* Is it an entry of @port, expired or not? */
bool mactab_is_on(const struct mactab *, uint64_t key, unsigned int port);
/* Has @port fewer than @limit entries? Those that have expired do not count;
 * they are searched for once in a second, whoever asks. */
bool mactab_has_room(struct mactab *, unsigned int port, uint32_t limit,
		     uint32_t now_s);
uint32_t mactab_count(const struct mactab *, unsigned int port);
/* Forgets entries of @port that are not sticky, those silent for longest
 * first, until there are no more than @keep of them in all. */
void mactab_trim(struct mactab *, unsigned int port, uint32_t keep,
		 uint32_t now_s);
/* Is there room for another sticky entry? */
bool mactab_may_stick(const struct mactab *);
/* Adds a reason (MACTAB_STICKY_*) to that entry; -ENOENT, -ENOSPC. */
int mactab_stick(struct mactab *, uint64_t key, unsigned int why);
/* The same to all entries of @port; -ENOSPC after doing what was possible. */
int mactab_stick_port(struct mactab *, unsigned int port, unsigned int why);
/* Takes the reasons @why from the entries of @port; what then is not sticky
 * any more expires as if it had just been heard. */
void mactab_unstick_port(struct mactab *, unsigned int port, unsigned int why,
			 uint32_t now_s);
/* Forgets what is sticky on @port. */
void mactab_forget_sticky(struct mactab *, unsigned int port);
/* How many entries are sticky. */
size_t mactab_sticky(const struct mactab *);

/* From now on @gone is called for every entry that is forgotten, whether it
 * has expired, was flushed or had to give way. It may not change the table. */
typedef void mactab_gone_fn(void *ctx, const struct mactab_entry *);
void mactab_on_gone(struct mactab *, mactab_gone_fn *gone, void *ctx);

/* The first entry at or after slot @from, skipping expired ones; false at the
 * end. Safe against changes between calls. */
bool mactab_next(const struct mactab *, size_t from, uint32_t now_s,
		 struct mactab_entry *);

/* What has happened so far. */
struct mactab_counters {
	uint64_t learned; /* that were not known */
	uint64_t moved; /* to another port */
	uint64_t displaced; /* entries that gave way though they were valid */
	uint64_t refused; /* MACTAB_FULL */
};
const struct mactab_counters *mactab_counters(const struct mactab *);

size_t mactab_slots(const struct mactab *);
size_t mactab_used(const struct mactab *);

/* Keeps every entry; a size too small for them is raised. 0 or -ENOMEM. */
int mactab_resize(struct mactab *, size_t slots);
/* All ports with entries must exist in the new size. 0 or -ENOMEM. */
int mactab_set_ports(struct mactab *, size_t n_ports);
/* An entry expires after more than @seconds of silence; 0: never. */
void mactab_set_expire(struct mactab *, uint32_t seconds);
uint32_t mactab_get_expire(const struct mactab *);
/* A station moves only if its old port was silent for more than @seconds, or
 * has expired. */
void mactab_set_persistence(struct mactab *, uint32_t seconds);
uint32_t mactab_get_persistence(const struct mactab *);

#endif
