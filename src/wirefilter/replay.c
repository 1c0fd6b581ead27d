// SPDX-License-Identifier: GPL-2.0-or-later
#include "wirefilter/replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wirefilter/record.h"
#include "wirefilter/textfile.h"

#define PIECE ((size_t)1 << 20)
#define COPY_BITS 16
#define DELAY_BITS 58

static_assert(RECORD_COPY_MAX < 1 << COPY_BITS, "a copy has room in a key");
static_assert(RECORD_NUMBER_MAX <= UINT64_MAX >> COPY_BITS,
	      "a number has room in a key");
static_assert(IMPAIR_N_FATES <= 1 << (64 - DELAY_BITS), "fates have room");
static_assert(REPLAY_DELAY_MAX == UINT64_MAX >> (64 - DELAY_BITS),
	      "delays have room");

/* Both begin with the key that they are sorted by: number and copy. */
struct entry {
	uint64_t key;
	uint64_t what; /* fate and delay */
};

struct flips {
	uint64_t key;
	struct impair_flips flips;
};

/* Those of one direction; @at is where the next frame's may be. */
struct entries {
	struct entry *e;
	size_t n, size, at;
};

struct all_flips {
	struct flips *f;
	size_t n, size, at;
};

struct replay {
	struct entries entries[2];
	struct all_flips flips[2];
	uint64_t number[2]; /* frames so far */
	bool unsorted[2], complete;
	struct impair_decision *fates; /* of the frame at hand */
	size_t most; /* decisions that any frame has */
};

uint64_t replay_last(const struct replay *rp, unsigned int direction)
{
	const struct entries *es = &rp->entries[direction];

	return es->n ? es->e[es->n - 1].key >> COPY_BITS : 0;
}

bool replay_is_complete(const struct replay *rp)
{
	return rp->complete;
}

/* ---- reading ---- */

/* Room for one more of @one bytes; NULL without memory. */
static void *grow(void *mem, size_t n, size_t *size, size_t one)
{
	size_t more = *size ? *size * 2 : 1024, bytes;

	if (n < *size)
		return mem;
	if (!size_mul(more, one, &bytes))
		return NULL;
	mem = realloc(mem, bytes);
	if (mem)
		*size = more;
	return mem;
}

static int add_flips(struct all_flips *all, uint64_t key,
		     const struct impair_flips *flips)
{
	struct flips *f = grow(all->f, all->n, &all->size, sizeof(*f));

	if (!f)
		return -ENOMEM;
	all->f = f;
	f[all->n++] = (struct flips){ key, *flips };
	return 0;
}

static uint64_t key_of(const struct impair_decision *d)
{
	return d->number << COPY_BITS | d->copy;
}

/* 0, -EEXIST: it is there already, or -ENOMEM. */
static int add(struct replay *rp, unsigned int direction,
	       const struct impair_decision *d)
{
	struct entries *es = &rp->entries[direction];
	const struct impair_flips *f = &d->flips;
	uint64_t key = key_of(d), delay = d->delay;
	struct entry *e = grow(es->e, es->n, &es->size, sizeof(*e));

	if (!e)
		return -ENOMEM;
	es->e = e;
	if (es->n && key == e[es->n - 1].key)
		return -EEXIST;
	if (es->n && key < e[es->n - 1].key)
		rp->unsorted[direction] = true;
	if (delay > REPLAY_DELAY_MAX)
		delay = REPLAY_DELAY_MAX;
	e[es->n++] = (struct entry){ key,
				     (uint64_t)d->fate << DELAY_BITS | delay };
	if (f->noise > 0 || f->corrupt > 0 || f->ber > 0)
		return add_flips(&rp->flips[direction], key, f);
	return 0;
}

static int by_key(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int twice(struct strbuf *why, unsigned int direction, uint64_t key)
{
	strbuf_fmt(why, "copy %u of frame %s %llu is there twice",
		   (unsigned int)(key & RECORD_COPY_MAX),
		   direction ? "RL" : "LR",
		   (unsigned long long)(key >> COPY_BITS));
	return -EEXIST;
}

/* In the order of frames, and each once. */
static int sort(struct replay *rp, unsigned int direction, struct strbuf *why)
{
	struct entries *es = &rp->entries[direction];
	struct all_flips *fs = &rp->flips[direction];
	size_t same = 1;

	if (rp->unsorted[direction]) {
		qsort(es->e, es->n, sizeof(*es->e), by_key);
		if (fs->n)
			qsort(fs->f, fs->n, sizeof(*fs->f), by_key);
	}
	for (size_t i = 1; i < es->n; i++) {
		if (es->e[i].key == es->e[i - 1].key)
			return twice(why, direction, es->e[i].key);
		if (es->e[i].key >> COPY_BITS == es->e[i - 1].key >> COPY_BITS)
			same++;
		else
			same = 1;
		if (same > rp->most)
			rp->most = same;
	}
	return 0;
}

/* All decisions of what the reader was given. 0, or -errno. */
static int take_piece(struct replay *rp, struct record_reader *r,
		      struct strbuf *why)
{
	enum record_got got;
	int rc = 0;

	do {
		got = record_next(r);
		if (got == RECORD_DECISION)
			rc = add(rp, r->direction, &r->decision);
	} while (got == RECORD_DECISION && !rc);
	if (rc == -EEXIST) {
		strbuf_fmt(why, "line %llu: ", (unsigned long long)r->line);
		return twice(why, r->direction, key_of(&r->decision));
	}
	if (got == RECORD_ERROR) {
		strbuf_add(why, record_error(r));
		return -EINVAL;
	}
	if (rc)
		strbuf_add(why, strerror(-rc));
	return rc;
}

static int read_all(struct replay *rp, int fd, char *piece, struct strbuf *why)
{
	struct record_reader r;
	ssize_t n;
	int rc;

	record_reader_init(&r);
	do {
		n = read(fd, piece, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			rc = -errno;
			strbuf_add(why, strerror(errno));
			return rc;
		}
		record_give(&r, piece, (size_t)n);
		if (!n)
			record_finish(&r);
		rc = take_piece(rp, &r, why);
		if (rc)
			return rc;
	} while (n);
	rp->complete = r.complete;
	return 0;
}

static int load(struct replay *rp, int fd, struct strbuf *why)
{
	char *piece = malloc(PIECE);
	int rc = -ENOMEM;

	if (piece)
		rc = read_all(rp, fd, piece, why);
	free(piece);
	for (unsigned int d = 0; d < 2 && !rc; d++)
		rc = sort(rp, d, why);
	if (rc)
		return rc;
	rp->fates = calloc(rp->most, sizeof(*rp->fates));
	return rp->fates ? 0 : -ENOMEM;
}

int replay_open(struct replay **out, const char *path, struct strbuf *why)
{
	struct replay *rp = calloc(1, sizeof(*rp));
	int fd = textfile_open(path, why), rc = fd < 0 ? fd : -ENOMEM;

	if (rp && fd >= 0) {
		rp->most = 1;
		rc = load(rp, fd, why);
	}
	if (fd >= 0)
		close(fd);
	if (rc) {
		if (!why->len)
			strbuf_add(why, strerror(-rc));
		replay_free(rp);
		return rc;
	}
	*out = rp;
	return 0;
}

void replay_free(struct replay *rp)
{
	if (!rp)
		return;
	for (int i = 0; i < 2; i++) {
		free(rp->entries[i].e);
		free(rp->flips[i].f);
	}
	free(rp->fates);
	free(rp);
}

/* ---- frames ---- */

static struct impair_flips find_flips(struct all_flips *fs, uint64_t key)
{
	while (fs->at < fs->n && fs->f[fs->at].key < key)
		fs->at++;
	return fs->at < fs->n && fs->f[fs->at].key == key
		       ? fs->f[fs->at].flips
		       : (struct impair_flips){ 0 };
}

bool replay_next(struct replay *rp, unsigned int direction,
		 const struct impair_decision **decisions, int *n)
{
	struct entries *es = &rp->entries[direction];
	uint64_t number = ++rp->number[direction];
	struct impair_decision *d = rp->fates;

	for (; es->at < es->n && es->e[es->at].key >> COPY_BITS == number;
	     es->at++, d++) {
		const struct entry *e = &es->e[es->at];

		*d = (struct impair_decision){
			.number = number,
			.copy = (unsigned int)(e->key & RECORD_COPY_MAX),
			.fate = (enum impair_fate)(e->what >> DELAY_BITS),
			.delay = e->what & REPLAY_DELAY_MAX,
			.flips = find_flips(&rp->flips[direction], e->key),
		};
	}
	*decisions = rp->fates;
	*n = (int)(d - rp->fates);
	if (es->at < es->n || *n)
		return true;
	rp->fates[0] = (struct impair_decision){ .number = number };
	*n = 1;
	return false;
}
