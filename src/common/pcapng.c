// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Section numbers are those of draft-ietf-opsawg-pcapng. Every block is
 *
 *   type u32 | total length u32 | body | total length u32
 *
 * (3.1), its body ends with options: code u16 | length u16 | value, filled
 * up to 32 bits (3.5). A function first adds up what it is going to write,
 * so that nothing behind that is checked again.
 */
#include "common/pcapng.h"

#include "base/utf8.h"

#define BLOCK_SECTION UINT32_C(0x0a0d0d0a)
#define BLOCK_INTERFACE 1
#define BLOCK_STATS 5
#define BLOCK_PACKET 6

#define BLOCK_FRAME 12 /* type and both lengths */
#define SECTION_FIXED 16
#define INTERFACE_FIXED 8
#define PACKET_FIXED 20
#define STATS_FIXED 12

#define BYTE_ORDER_MAGIC UINT32_C(0x1a2b3c4d)
#define LINKTYPE_ETHERNET 1
#define TSRESOL_NS 9 /* negative power of 10 */
#define VERDICT_HARDWARE 0 /* what follows is the component's own */

/* 3.5, 4.1, 4.2, 4.3, 4.6 */
enum option {
	OPT_END = 0,
	OPT_COMMENT = 1,
	SHB_USERAPPL = 4,
	IF_NAME = 2,
	IF_DESCRIPTION = 3,
	IF_TSRESOL = 9,
	IF_FILTER = 11,
	EPB_FLAGS = 2,
	EPB_DROPCOUNT = 4,
	EPB_VERDICT = 7,
	ISB_STARTTIME = 2,
	ISB_ENDTIME = 3,
	ISB_IFDROP = 5,
	ISB_FILTERACCEPT = 6,
};

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

/* ---- adding up ---- */

#define OPTION_HEAD 4
#define OPTION_U32 (OPTION_HEAD + 4)
#define OPTION_U64 (OPTION_HEAD + 8)

/* Bytes of a text, whole characters only. */
static size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n]) {
		size_t k = utf8_len((const uint8_t *)s + n);

		if (!k)
			k = 1;
		if (n + k > PCAPNG_TEXT_MAX)
			break;
		n += k;
	}
	return n;
}

/* With one byte in front of it, where @prefixed. */
static size_t option_size(const char *s, bool prefixed)
{
	return s ? OPTION_HEAD + pad4(text_len(s) + prefixed) : 0;
}

/* ---- writing ---- */

static uint8_t *put_u16(uint8_t *p, uint16_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

/* Two halves, the upper one first, whatever the byte order (4.3, 4.6). */
static uint8_t *put_time(uint8_t *p, uint64_t ns)
{
	p = put_u32(p, (uint32_t)(ns >> 32));
	return put_u32(p, (uint32_t)ns);
}

static uint8_t *put_zeros(uint8_t *p, size_t n)
{
	memset(p, 0, n);
	return p + n;
}

static uint8_t *put_block(uint8_t *p, uint32_t type, size_t len)
{
	p = put_u32(p, type);
	return put_u32(p, (uint32_t)len);
}

static uint8_t *put_option(uint8_t *p, enum option code, size_t len)
{
	p = put_u16(p, (uint16_t)code);
	return put_u16(p, (uint16_t)len);
}

static uint8_t *put_option_u32(uint8_t *p, enum option code, uint32_t v)
{
	return put_u32(put_option(p, code, sizeof(v)), v);
}

static uint8_t *put_option_u64(uint8_t *p, enum option code, uint64_t v)
{
	p = put_option(p, code, sizeof(v));
	memcpy(p, &v, sizeof(v));
	return p + sizeof(v);
}

static uint8_t *put_option_time(uint8_t *p, enum option code, uint64_t ns)
{
	return put_time(put_option(p, code, sizeof(ns)), ns);
}

/* @prefix < 0: there is none. */
static uint8_t *put_text(uint8_t *p, enum option code, int prefix,
			 const char *s)
{
	size_t len, extra = prefix >= 0;

	if (!s)
		return p;
	len = text_len(s);
	p = put_option(p, code, len + extra);
	if (extra)
		*p++ = (uint8_t)prefix;
	for (size_t i = 0; i < len;) {
		size_t k = utf8_len((const uint8_t *)s + i);

		if (k)
			memcpy(p, s + i, k);
		else
			*p = '?';
		p += k ? k : 1;
		i += k ? k : 1;
	}
	return put_zeros(p, pad4(len + extra) - len - extra);
}

static void put_end(uint8_t *p, size_t len)
{
	put_u32(put_option(p, OPT_END, 0), (uint32_t)len);
}

/* ---- blocks ---- */

/* 4.1. The length of a section is not known while it is written. */
size_t pcapng_put_section(uint8_t *to, size_t room, const char *program)
{
	size_t len = BLOCK_FRAME + SECTION_FIXED + option_size(program, false) +
		     OPTION_HEAD;
	uint8_t *p;

	if (len > room)
		return 0;
	p = put_block(to, BLOCK_SECTION, len);
	p = put_u32(p, BYTE_ORDER_MAGIC);
	p = put_u16(p, 1); /* version 1.0 */
	p = put_u16(p, 0);
	p = put_time(p, UINT64_MAX);
	p = put_text(p, SHB_USERAPPL, -1, program);
	put_end(p, len);
	return len;
}

/* 4.2. A filter begins with 0: it is libpcap's text. */
size_t pcapng_put_interface(uint8_t *to, size_t room,
			    const struct pcapng_interface *i)
{
	size_t len = BLOCK_FRAME + INTERFACE_FIXED +
		     option_size(i->name, false) +
		     option_size(i->descr, false) + OPTION_U32 +
		     option_size(i->filter, true) + OPTION_HEAD;
	uint8_t *p;

	if (len > room)
		return 0;
	p = put_block(to, BLOCK_INTERFACE, len);
	p = put_u16(p, LINKTYPE_ETHERNET);
	p = put_u16(p, 0);
	p = put_u32(p, i->snaplen);
	p = put_text(p, IF_NAME, -1, i->name);
	p = put_text(p, IF_DESCRIPTION, -1, i->descr);
	p = put_option(p, IF_TSRESOL, 1);
	*p++ = TSRESOL_NS;
	p = put_zeros(p, 3);
	p = put_text(p, IF_FILTER, 0, i->filter);
	put_end(p, len);
	return len;
}

static uint8_t *put_bytes(uint8_t *p, const struct iovec *iov, size_t len)
{
	size_t left = len;

	for (; left; iov++) {
		size_t n = size_min(iov->iov_len, left);

		memcpy(p, iov->iov_base, n);
		p += n;
		left -= n;
	}
	return put_zeros(p, pad4(len) - len);
}

/* 4.3 */
size_t pcapng_put_packet(uint8_t *to, size_t room,
			 const struct pcapng_packet *pkt)
{
	size_t len = BLOCK_FRAME + PACKET_FIXED + pad4(pkt->len) + OPTION_U32 +
		     (pkt->lost ? OPTION_U64 : 0) +
		     option_size(pkt->comment, false) +
		     option_size(pkt->verdict, true) + OPTION_HEAD;
	uint8_t *p;

	if (len > room)
		return 0;
	p = put_block(to, BLOCK_PACKET, len);
	p = put_u32(p, pkt->interface);
	p = put_time(p, pkt->time_ns);
	p = put_u32(p, pkt->len);
	p = put_u32(p, pkt->wire_len);
	p = put_bytes(p, pkt->iov, pkt->len);
	p = put_option_u32(p, EPB_FLAGS, pkt->flags);
	if (pkt->lost)
		p = put_option_u64(p, EPB_DROPCOUNT, pkt->lost);
	p = put_text(p, OPT_COMMENT, -1, pkt->comment);
	p = put_text(p, EPB_VERDICT, VERDICT_HARDWARE, pkt->verdict);
	put_end(p, len);
	return len;
}

/* 4.6 */
size_t pcapng_put_stats(uint8_t *to, size_t room, const struct pcapng_stats *st)
{
	size_t len = BLOCK_FRAME + STATS_FIXED + 4 * OPTION_U64 + OPTION_HEAD;
	uint8_t *p;

	if (len > room)
		return 0;
	p = put_block(to, BLOCK_STATS, len);
	p = put_u32(p, st->interface);
	p = put_time(p, st->end_ns);
	p = put_option_time(p, ISB_STARTTIME, st->start_ns);
	p = put_option_time(p, ISB_ENDTIME, st->end_ns);
	p = put_option_u64(p, ISB_IFDROP, st->lost);
	p = put_option_u64(p, ISB_FILTERACCEPT, st->seen);
	put_end(p, len);
	return len;
}
