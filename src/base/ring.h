/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * ring - frames from one process to another through shared memory
 *
 * One producer, one consumer. doc/protocol-ring.md is the specification; in
 * short: @tail counts the bytes ever produced and @head those ever consumed,
 * both modulo 2^32. A record is a 16-byte header and the frame, padded to 16
 * bytes. The data area is mapped twice in a row, so that a record that wraps
 * around is contiguous for whoever reads or writes it.
 *
 * A ring that has run empty goes on at the start of its memory, which is noted
 * in @start: as long as the consumer keeps up, a big ring costs the memory and
 * the cache of a small one.
 *
 * A side that finds nothing to do sets its waits flag, looks once more and
 * sleeps; the other side, after it has published, takes the flag and then
 * kicks (how is not known here). A busy ring makes no system call.
 *
 * The other side is hostile. It may write anything anywhere at any time, so
 * each side keeps its own index privately, copies a header once and checks
 * the copy; a frame's bytes may still change while they are read.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdatomic.h>
#include <sys/uio.h>

#include "base/frame.h"

#define RING_ALIGN 16
#define RING_MIN_SIZE (UINT32_C(64) << 10)
#define RING_MAX_SIZE (UINT32_C(8) << 20)

/* In shared memory, one per direction; every field in its own cache line. */
struct ring_shared {
	_Alignas(64) _Atomic uint32_t tail; /* written by the producer */
	_Atomic uint32_t start; /* the byte that is at the start of the memory;
				 * by the producer while the ring is empty */
	_Alignas(64) _Atomic uint32_t head; /* written by the consumer */
	_Alignas(64) _Atomic uint32_t consumer_waits; /* set by the consumer */
	_Alignas(64) _Atomic uint32_t producer_waits; /* set by the producer */
};
static_assert(sizeof(struct ring_shared) == 256, "layout is a protocol");

/* In front of each frame. */
struct ring_record {
	uint32_t len; /* of the frame, without padding */
	uint16_t reserved;
	uint8_t flags; /* FRAME_NEEDS_CSUM */
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};
static_assert(sizeof(struct ring_record) == 16, "layout is a protocol");

/* A producer looks for an empty ring behind this much, and not all the time. */
#define RING_NEAR (UINT32_C(16) << 10)
#define RING_LOOK UINT32_C(4096)
/* Memory beyond this is used by bursts only; it is given back when none came
 * for so many times. */
#define RING_FAR (2 * RING_NEAR)
#define RING_CALM 64

/* One side's private view of one direction. */
struct ring {
	struct ring_shared *sh;
	uint8_t *data; /* mapped twice: 2 * size bytes */
	uint32_t size; /* a power of two */
	uint32_t pos; /* own index, as last published or about to be */
	uint32_t other; /* the other side's index when last looked at */
	uint32_t start; /* and what the producer said with it */
	uint32_t released; /* consumer: how far it has given room back */
	uint32_t look; /* producer: where to look for an empty ring again */
	uint32_t reach; /* producer: how far memory has been used */
	uint32_t calm; /* producer: how often it went no further than usual */
	uint32_t max_len; /* longest frame */
	bool broken; /* the other side broke the rules: for ever */
};

void ring_init(struct ring *, struct ring_shared *, uint8_t *data,
	       uint32_t size, uint32_t max_len);

static inline uint32_t ring_need(uint32_t len)
{
	return (sizeof(struct ring_record) + len + RING_ALIGN - 1) &
	       ~(uint32_t)(RING_ALIGN - 1);
}

/* ---- producer ---- */

/* Where a frame of @len may be written, after its record @r; NULL if there
 * is no room now. Nothing is visible before ring_publish(). -EPROTO in
 * *@err if the consumer's index makes no sense. */
uint8_t *ring_reserve(struct ring *, const struct ring_record *r, int *err);
/* Shows what was reserved to the consumer. True: it sleeps, kick it. */
bool ring_publish(struct ring *);
/* The two halves of it, for who has a full memory barrier to put between. */
void ring_show(struct ring *);
bool ring_consumer_sleeps(struct ring *);
/* True: the consumer waits although there are frames; kick it. For the other
 * side's request to look again. */
bool ring_missed(struct ring *);
/* Room for a frame of @len, looked for anew; also if ring_reserve() has an
 * error to tell. */
bool ring_has_room(struct ring *, uint32_t len);
/* Gives back the memory that only bursts need, if there is any and the ring is
 * empty; false if it is not: try again later. */
bool ring_trim(struct ring *);
/* Asks to be kicked when there is room for @len; false if there is already, or
 * ring_reserve() has an error to tell (do not sleep). */
bool ring_wait_room(struct ring *, uint32_t len);

/* ---- consumer ---- */

/* The next frame's bytes, its checked record in @r; NULL if there is none,
 * or if the producer broke the rules: then *@err is -EPROTO. Valid until
 * ring_release(). Taken frames are passed over by ring_take(). */
const uint8_t *ring_peek(struct ring *, struct ring_record *r, int *err);
void ring_take(struct ring *, const struct ring_record *r);
/* Nothing is left of what the producer had published just now. */
bool ring_is_empty(struct ring *);
/* Gives the room of all taken frames back. True: the producer sleeps and now
 * at least a quarter of the ring is free: kick it. */
bool ring_release(struct ring *);
/* The same, but nothing unless it is worth it: an eighth of the ring. Whoever
 * finds the ring empty calls the other. */
bool ring_release_much(struct ring *);
/* At least a quarter of the ring is free, as far as we have released it. */
bool ring_has_quarter(const struct ring *);
/* Asks to be kicked when there is a frame; false if there is one already. */
bool ring_wait_data(struct ring *);
/* Takes the wish back; false if the producer has taken it: a kick is on its
 * way. */
bool ring_wait_cancel(struct ring *);

#endif
