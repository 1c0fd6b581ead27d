/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * join - how who has an invitation becomes a peer
 *
 * The client connects as the temporary peer of his invitation (invite.h), and
 * what both say in that session are frames of a type of their own, which the
 * server does not let out to its switch:
 *
 *      0  12  0
 *     12   2  0x88b5
 *     14   4  "vjn1"
 *     18   1  1: request                      2: answer
 *     19   1  0                               status: enum join_status
 *     20  32  the client's public key         the same
 *     52   1  length of the name, 1 to 63     of the name it has now; 0 if none
 *     53      the name                        the name
 *
 * The name in a request is what the client calls itself, for people; the name
 * that counts is the invitation's. The request comes again each half second
 * until there is an answer; the same request gets the same answer, also when it
 * was granted before. The invitation is used up when a key was enrolled with
 * it: its block leaves the list, and one in the peers file takes its place,
 * with the same pre-shared key, rules and name and with the client's key. The
 * list is written first: if the other file cannot be, nobody is enrolled and a
 * new invitation is needed.
 */
#ifndef CRYPTCAB_JOIN_H
#define CRYPTCAB_JOIN_H

#include "cryptcab/invite.h"

#define JOIN_FRAME_MAX (53 + PEERSFILE_NAME_SIZE - 1)
/* The server keeps a temporary peer that long after it was used: for a client
 * who did not get the answer. */
#define JOIN_LINGER_S 60

enum join_status {
	JOIN_DONE,
	JOIN_USED, /* by somebody else */
	JOIN_EXPIRED,
	JOIN_KNOWN, /* that key is a peer already, and stays what it is */
	JOIN_FAILED, /* the server could not */
	JOIN_N_STATUSES
};

struct join_message {
	uint8_t key[KEY64_BYTES];
	enum join_status status; /* of an answer */
	char name[PEERSFILE_NAME_SIZE];
};

/* For people. */
const char *join_status_text(enum join_status);

/* Their lengths; @frame has JOIN_FRAME_MAX. */
size_t join_write_request(uint8_t *frame, const struct join_message *);
size_t join_write_answer(uint8_t *frame, const struct join_message *);
/* False: it is something else, or wrong. */
bool join_parse_request(struct join_message *, const uint8_t *frame,
			size_t len);
bool join_parse_answer(struct join_message *, const uint8_t *frame, size_t len);

/* The server: a frame came from the temporary peer with key @invite. Changes
 * the list and the peers file at @peers_path and makes the @answer. 1: a key
 * was enrolled, load both files again; 0: there is only an answer; -errno, for
 * the log in @why: there is an answer (JOIN_FAILED); -EAGAIN: a file is in use,
 * no answer, he will ask again; -EBADMSG: it is no request, no answer. */
int join_serve(const char *peers_path, const uint8_t invite[static KEY64_BYTES],
	       const uint8_t *frame, size_t len, uint64_t wall,
	       struct join_message *answer, struct strbuf *why);

/* The client: asks until it has an answer or @timeout_ms have passed. 0 and
 * @m->name, @m->key is asked with; -EACCES for a refusal, -ETIMEDOUT, or
 * another -errno, said in @why. Blocks. */
int join_ask(const struct invite *, struct join_message *m,
	     unsigned int timeout_ms, struct strbuf *why);

/* The subcommand `join [OPTION]... [INVITATION]`: asks, and adds the server to
 * the client's peers file. The exit status. */
int join_cmd(int argc, char **argv);

#endif
