// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/contact.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "common/log.h"
#include "cryptcab/enrol.h"
#include "cryptcab/keyfile.h"
#include "cryptcab/keymem.h"
#include "cryptcab/peersdisk.h"

#define REASON 512

static int public_key(uint8_t *pub, const char *path, struct strbuf *why)
{
	uint8_t *key = keymem_alloc(KEY64_BYTES);
	int rc;

	if (!key)
		return -ENOMEM;
	rc = keyfile_read_or_make(key, path, why);
	if (rc >= 0)
		rc = crypto_scalarmult_base(pub, key) ? -EINVAL : 0;
	keymem_free(key);
	return rc;
}

static int contact(const char *what, const char *key_path,
		   const char *peers_path, struct strbuf *why)
{
	uint8_t pub[KEY64_BYTES];
	char user[ADDRESS_USER_SIZE];
	struct address a;
	int rc;

	if (!address_parse_target(&a, user, what, ADDRESS_PORT, why))
		return -EINVAL;
	rc = public_key(pub, key_path, why);
	if (!rc)
		rc = enrol_server(user, &a, pub, peers_path, ENROL_WAIT_MS,
				  why);
	if (rc == 1)
		log_notice("%s is a peer now: see %s", what, peers_path);
	return rc < 0 ? rc : 0;
}

int contact_missing(const struct cli_list *connect, const char *key_path,
		    const char *peers_path)
{
	char text[REASON] = "";
	struct peersfile *f = NULL;
	struct strbuf why;
	int rc;

	strbuf_init(&why, text, sizeof(text));
	rc = peersdisk_load(&f, peers_path, &why);
	if (rc && rc != -ENOENT) {
		log_err("%s", text);
		return rc;
	}
	rc = 0;
	for (size_t i = 0; i < connect->n && !rc; i++) {
		const char *what = connect->given[i].arg;

		if (f && peersfile_find_name(f, what))
			continue;
		strbuf_init(&why, text, sizeof(text));
		rc = contact(what, key_path, peers_path, &why);
		if (rc)
			log_err("unable to call %s: %s", what,
				*text ? text : strerror(-rc));
	}
	peersfile_free(f);
	return rc;
}
