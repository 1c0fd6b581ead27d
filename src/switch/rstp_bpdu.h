/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rstp_bpdu - spanning tree messages as bytes and as numbers
 *
 * Formats of IEEE 802.1D-2004 clause 9: Configuration, Topology Change
 * Notification and RST BPDUs, whole frames without a tag: addresses, 802.3
 * length and LLC included. Times are in 1/256 s, as on the wire.
 *
 * VDE 2 sends RST BPDUs of its own dialect, recognised by a forward delay of
 * zero: the codes of Root and Alternate are exchanged, and the times it does
 * not have are set to something else (rstp_bpdu.c).
 */
#ifndef SWITCH_RSTP_BPDU_H
#define SWITCH_RSTP_BPDU_H

#include "base/util.h"

#define RSTP_BPDU_ADDR UINT64_C(0x0180c2000000) /* Bridge Group, 7.12.3 */
#define RSTP_FRAME_MAX 53 /* of what is sent; not padded */
#define RSTP_SECOND 256

enum rstp_kind {
	RSTP_CONFIG,
	RSTP_TCN,
	RSTP_RST,
	RSTP_N_KINDS
};

enum rstp_role {
	RSTP_DISABLED,
	RSTP_ROOT,
	RSTP_DESIGNATED,
	RSTP_ALTERNATE,
	RSTP_BACKUP,
	RSTP_N_ROLES
};

/* Flags, 9.3.3; the role has its own field. */
#define RSTP_TC 0x01
#define RSTP_PROPOSAL 0x02
#define RSTP_LEARNING_FLAG 0x10
#define RSTP_FORWARDING_FLAG 0x20
#define RSTP_AGREEMENT 0x40
#define RSTP_TC_ACK 0x80

struct rstp_times {
	uint16_t message_age;
	uint16_t max_age;
	uint16_t hello;
	uint16_t forward_delay;
};

struct rstp_bpdu {
	enum rstp_kind kind;
	/* As received: Configuration BPDUs imply Designated, Alternate may
	 * also be Backup, RSTP_DISABLED is an unknown role. */
	enum rstp_role role;
	uint8_t flags;
	bool dialect; /* VDE 2's */
	uint64_t root; /* bridge identifiers: priority above the address */
	uint32_t cost;
	uint64_t bridge;
	uint16_t port;
	struct rstp_times times;
};

/* Reads a frame to RSTP_BPDU_ADDR; whatever follows the BPDU is ignored
 * (9.3.4). A TCN has its kind only. False if it is none, or not a valid one. */
bool rstp_bpdu_parse(struct rstp_bpdu *, const uint8_t *frame, size_t len);

/* Writes a frame from station @source; returns its length. */
size_t rstp_bpdu_write(const struct rstp_bpdu *, uint64_t source,
		       uint8_t frame[static RSTP_FRAME_MAX]);

#endif
