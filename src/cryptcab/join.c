// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/join.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "base/cursor.h"
#include "cryptcab/peersdisk.h"

#define ETHERTYPE_JOIN 0x88b5 /* IEEE: for local experiments */
#define HEAD_LEN 53

static const uint8_t magic[] = { 'v', 'j', 'n', '1' };

enum {
	REQUEST = 1,
	ANSWER = 2
};

static const char *const texts[] = {
	"it is done",
	"somebody has used the invitation",
	"the invitation has expired",
	"the server knows this key already, under another agreement",
	"the server was not able to",
};
static_assert(ARRAY_SIZE(texts) == JOIN_N_STATUSES, "one text each");

const char *join_status_text(enum join_status s)
{
	return texts[s];
}

/* ---- messages ---- */

static size_t write_message(uint8_t *frame, uint8_t type,
			    const struct join_message *m)
{
	size_t n = strlen(m->name);

	memset(frame, 0, HEAD_LEN);
	frame[12] = ETHERTYPE_JOIN >> 8;
	frame[13] = ETHERTYPE_JOIN & 0xff;
	memcpy(frame + 14, magic, sizeof(magic));
	frame[18] = type;
	frame[19] = type == ANSWER ? (uint8_t)m->status : 0;
	memcpy(frame + 20, m->key, KEY64_BYTES);
	frame[52] = (uint8_t)n;
	memcpy(frame + HEAD_LEN, m->name, n);
	return HEAD_LEN + n;
}

size_t join_write_request(uint8_t *frame, const struct join_message *m)
{
	return write_message(frame, REQUEST, m);
}

size_t join_write_answer(uint8_t *frame, const struct join_message *m)
{
	return write_message(frame, ANSWER, m);
}

static bool parse(struct join_message *m, uint8_t type, const uint8_t *frame,
		  size_t len)
{
	struct cursor c = { .p = frame, .left = len };
	const uint8_t *head, *key, *name;
	uint8_t status, n;

	memset(m, 0, sizeof(*m));
	head = cursor_take(&c, 18);
	if (!head || !sodium_is_zero(head, 12) ||
	    ether_be16(head + 12) != ETHERTYPE_JOIN ||
	    memcmp(head + 14, magic, sizeof(magic)) != 0)
		return false;
	if (cursor_u8(&c) != type)
		return false;
	status = cursor_u8(&c);
	key = cursor_take(&c, KEY64_BYTES);
	n = cursor_u8(&c);
	name = cursor_take(&c, n);
	if (!cursor_done(&c) || n >= sizeof(m->name) ||
	    status >= (type == ANSWER ? JOIN_N_STATUSES : 1))
		return false;
	memcpy(m->key, key, KEY64_BYTES);
	memcpy(m->name, name, n);
	m->status = (enum join_status)status;
	if (!n)
		return type == ANSWER && status != JOIN_DONE;
	return strlen(m->name) == n && peersfile_name_ok(m->name);
}

bool join_parse_request(struct join_message *m, const uint8_t *frame,
			size_t len)
{
	return parse(m, REQUEST, frame, len) &&
	       !sodium_is_zero(m->key, KEY64_BYTES);
}

bool join_parse_answer(struct join_message *m, const uint8_t *frame, size_t len)
{
	return parse(m, ANSWER, frame, len);
}

/* ---- the server ---- */

/* No such invitation: perhaps it was this client's, and he did not hear it. */
static int answer_again(struct peersdisk *peers, struct join_message *m)
{
	const struct peersfile_peer *p = peersfile_find(peers->f, m->key);

	m->status = p ? JOIN_DONE : JOIN_USED;
	m->name[0] = '\0';
	if (p)
		memcpy(m->name, p->name, sizeof(m->name));
	return 0;
}

/* Both files as they will be; nothing is written yet. */
static int prepare(struct peersdisk *list, struct peersdisk *peers,
		   const struct peersfile_peer *inv, struct join_message *m,
		   struct strbuf *why)
{
	struct peersfile_peer p = *inv;
	int rc;

	memcpy(p.key, m->key, KEY64_BYTES);
	p.rules.expires = 0; /* that was the invitation's */
	rc = peersdisk_enrol(peers, &p, why);
	if (!rc)
		rc = peersdisk_remove(list, inv, why);
	if (!rc)
		memcpy(m->name, p.name, sizeof(m->name));
	return rc;
}

/* What to do about it: 1 to write both files, 0 for an answer only. */
static int decide(struct peersdisk *list, struct peersdisk *peers,
		  const uint8_t invite[static KEY64_BYTES], uint64_t wall,
		  struct join_message *m, struct strbuf *why)
{
	const struct peersfile_peer *inv = peersfile_find(list->f, invite);
	int rc;

	m->name[0] = '\0';
	if (!inv)
		return answer_again(peers, m);
	m->status = JOIN_EXPIRED;
	if (inv->rules.expires && inv->rules.expires <= wall)
		return 0;
	/* Public keys are public: who says one has not proved it is his. */
	m->status = JOIN_KNOWN;
	if (peersfile_find(peers->f, m->key))
		return 0;
	m->status = JOIN_FAILED;
	rc = prepare(list, peers, inv, m, why);
	return rc < 0 ? rc : 1;
}

static int serve(struct peersdisk *list, struct peersdisk *peers,
		 const uint8_t invite[static KEY64_BYTES], uint64_t wall,
		 struct join_message *m, struct strbuf *why)
{
	int rc = decide(list, peers, invite, wall, m, why);

	if (rc <= 0) {
		peersdisk_abort(list);
		peersdisk_abort(peers);
		return rc;
	}
	rc = peersdisk_commit(list, why);
	if (rc) {
		peersdisk_abort(peers);
		return rc;
	}
	rc = peersdisk_commit(peers, why);
	if (rc)
		return rc;
	m->status = JOIN_DONE;
	return 1;
}

int join_serve(const char *peers_path, const uint8_t invite[static KEY64_BYTES],
	       const uint8_t *frame, size_t len, uint64_t wall,
	       struct join_message *answer, struct strbuf *why)
{
	struct peersdisk list, peers;
	char list_path[PATH_MAX];
	int rc;

	if (!join_parse_request(answer, frame, len)) {
		strbuf_add(why, "no request to join");
		return -EBADMSG;
	}
	answer->status = JOIN_FAILED;
	rc = invite_list_path(list_path, peers_path);
	if (!rc)
		rc = peersdisk_begin(&list, list_path, 0, why);
	if (!rc) {
		rc = peersdisk_begin(&peers, peers_path, 0, why);
		if (rc)
			peersdisk_abort(&list);
	}
	if (!rc)
		rc = serve(&list, &peers, invite, wall, answer, why);
	if (rc < 0)
		answer->name[0] = '\0';
	return rc;
}
