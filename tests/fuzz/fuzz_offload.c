// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames with offloads: ten bytes of offload, then the frame. What is cut
 * must be whole headers, each segment as long as promised, and all payload.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "base/offload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut(const uint8_t *frame, size_t len, const struct frame_offload *o)
{
	struct offload_cut c;
	size_t max, n, all = 0;
	uint8_t *out;

	if (!offload_cut_start(&c, frame, len, o))
		return;
	max = offload_cut_max(&c);
	out = malloc(max);
	if (!out)
		return;
	while ((n = offload_cut_next(&c, out))) {
		if (n > max || n <= c.payload)
			abort();
		all += n - c.payload;
	}
	if (all != len - c.payload)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor in = { data, size, false };
	struct frame_offload o = {
		.flags = cursor_u8(&in),
		.gso_type = cursor_u8(&in),
		.hdr_len = cursor_be16(&in),
		.gso_size = cursor_be16(&in),
		.csum_start = cursor_be16(&in),
		.csum_offset = cursor_be16(&in),
	};
	uint8_t *frame;

	if (in.bad || !in.left || in.left > 70000)
		return 0;
	frame = malloc(in.left);
	if (!frame)
		return 0;
	memcpy(frame, in.p, in.left);
	cut(frame, in.left, &o);
	offload_csum(frame, in.left, &o);
	free(frame);
	return 0;
}
