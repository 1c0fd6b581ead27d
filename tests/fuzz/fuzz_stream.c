// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The stream of frames: the rest of the input arrives in pieces whose sizes
 * the first bytes choose. However it is cut, vdestream_recv() and base/stream
 * must find the frames that a plain walk over the whole finds, and what they
 * find must come out the same when it is sent again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/stream.h"
#include "lib/libvdeplug.h"

#define N_SIZES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must come: the stream that is left, and how many it may still skip. */
struct walk {
	const uint8_t *p;
	size_t left;
	int too_long;
};

/* The next frame of the walk, or NULL; past empty and overlong ones. */
static const uint8_t *walk_next(struct walk *w, size_t *len)
{
	while (w->left >= 2) {
		const uint8_t *frame = w->p + 2;

		*len = (size_t)w->p[0] << 8 | w->p[1];
		if (*len > STREAM_FRAME_MAX)
			w->too_long++;
		else if (w->left < 2 + *len)
			return NULL;
		if (w->left < 2 + *len) {
			w->left = 0;
			return NULL;
		}
		w->p += 2 + *len;
		w->left -= 2 + *len;
		if (*len && *len <= STREAM_FRAME_MAX)
			return frame;
	}
	return NULL;
}

static void expect(struct walk *w, const uint8_t *frame, size_t len)
{
	size_t n;
	const uint8_t *p = walk_next(w, &n);

	if (!p || n != len || memcmp(p, frame, n) != 0)
		abort();
}

struct sink {
	struct walk walk;
	int errors;
};

static ssize_t on_frame(void *opaque, void *buf, size_t len)
{
	struct sink *s = opaque;

	expect(&s->walk, buf, len);
	return (ssize_t)len;
}

static void on_error(void *opaque, int type, char *format, ...)
{
	((struct sink *)opaque)->errors++;
	if (type != PACKET_LENGTH_ERROR || !format)
		abort();
}

static size_t piece(const uint8_t *sizes, unsigned int i, size_t left)
{
	return size_min(left, 1 + (size_t)sizes[i % N_SIZES] *
					      sizes[(i + 1) % N_SIZES]);
}

static void through_vdestream(const uint8_t *sizes, const uint8_t *p,
			      size_t len)
{
	struct sink s = { .walk = { p, len, 0 } };
	VDESTREAM *vs = vdestream_open(&s, -1, on_frame, on_error);
	size_t n;

	if (!vs)
		return;
	for (unsigned int i = 0; len; i++, p += n, len -= n) {
		uint8_t *copy;

		n = piece(sizes, i, len);
		copy = malloc(n);
		if (!copy)
			break;
		memcpy(copy, p, n);
		vdestream_recv(vs, copy, n);
		free(copy);
	}
	if (!len && (walk_next(&s.walk, &n) || s.errors != s.walk.too_long))
		abort();
	vdestream_close(vs);
}

/* In through one stream, out through another, and in again by a walk. */
static void there_and_back(const uint8_t *sizes, const uint8_t *p, size_t len)
{
	static uint8_t in_buf[2 * STREAM_FRAME_MAX],
		out_buf[STREAM_FRAME_MAX + 2];
	struct stream in, out;
	const uint8_t *frame, *again;
	size_t room, n, m;

	stream_init(&in, in_buf, sizeof(in_buf), STREAM_FRAME_MAX);
	stream_init(&out, out_buf, sizeof(out_buf), STREAM_FRAME_MAX);
	for (unsigned int i = 0; len; i++) {
		uint8_t *to = stream_space(&in, &room);

		if (!room)
			abort();
		n = size_min(room, piece(sizes, i, len));
		memcpy(to, p, n);
		stream_fill(&in, n);
		p += n;
		len -= n;
		while ((frame = stream_next(&in, &n))) {
			struct walk w;

			if (!stream_add(&out, frame, n))
				abort();
			w = (struct walk){ stream_pending(&out, &m), 0, 0 };
			w.left = m;
			again = walk_next(&w, &m);
			if (!again || m != n || memcmp(again, frame, n) != 0)
				abort();
			stream_sent(&out, n + 1);
			stream_sent(&out, 1);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < N_SIZES)
		return 0;
	through_vdestream(data, data + N_SIZES, size - N_SIZES);
	there_and_back(data, data + N_SIZES, size - N_SIZES);
	return 0;
}
