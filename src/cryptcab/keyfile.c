// SPDX-License-Identifier: GPL-2.0-or-later
#include "cryptcab/keyfile.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cli.h"
#include "common/log.h"
#include "cryptcab/noise.h"
#include "cryptcab/privfile.h"

static_assert(KEY64_BYTES == NOISE_KEY_LEN, "keys are keys");

/* What Noise needs no key for: names of what a hash is for. */
static const char psk_context[] = "vde_cryptcab psk file";
static const char server_context[] = "vde_cryptcab psk server";

static void clamp(uint8_t key[static KEY64_BYTES])
{
	key[0] &= 248;
	key[31] = (key[31] & 127) | 64;
}

void keyfile_generate(uint8_t key[static KEY64_BYTES])
{
	randombytes_buf(key, KEY64_BYTES);
	clamp(key);
}

static void derive(uint8_t out[static KEY64_BYTES], const char *context,
		   const void *p, size_t len)
{
	crypto_generichash_blake2b(out, KEY64_BYTES, p, len,
				   (const uint8_t *)context, strlen(context));
}

void keyfile_psk_server(uint8_t key[static KEY64_BYTES],
			const uint8_t psk[static KEY64_BYTES])
{
	derive(key, server_context, psk, KEY64_BYTES);
	clamp(key);
}

static bool parse(uint8_t key[static KEY64_BYTES], const char *text, size_t len)
{
	if (len && text[len - 1] == '\n')
		len--;
	return key64_read(key, text, len);
}

int keyfile_parse(uint8_t key[static KEY64_BYTES], const char *text, size_t len,
		  struct strbuf *why)
{
	if (!parse(key, text, len)) {
		strbuf_fmt(why, "no key: it must be %d characters of base64",
			   KEY64_LEN);
		return -EINVAL;
	}
	if (sodium_is_zero(key, KEY64_BYTES)) {
		strbuf_add(why, "no key: all its bits are 0");
		return -EINVAL;
	}
	return 0;
}

int keyfile_parse_psk(uint8_t psk[static KEY64_BYTES], const char *text,
		      size_t len, struct strbuf *why)
{
	if (parse(psk, text, len))
		return keyfile_parse(psk, text, len, why);
	if (len < KEYFILE_PSK_MIN || len > KEYFILE_PSK_MAX) {
		strbuf_fmt(why,
			   "no pre-shared key: it must be %d characters of "
			   "base64, or %d to %d bytes of anything",
			   KEY64_LEN, KEYFILE_PSK_MIN, KEYFILE_PSK_MAX);
		return -EINVAL;
	}
	derive(psk, psk_context, text, len);
	return 0;
}

/* ---- files ---- */

typedef int parse_fn(uint8_t key[static KEY64_BYTES], const char *text,
		     size_t len, struct strbuf *why);

static int read_as(uint8_t key[static KEY64_BYTES], const char *path,
		   parse_fn *fn, struct strbuf *why)
{
	char reason[160];
	struct privtext t;
	struct strbuf b;
	int rc;

	sodium_memzero(key, KEY64_BYTES);
	rc = privfile_read(&t, path, PRIVFILE_SECRET, KEYFILE_PSK_MAX, why);
	if (rc)
		return rc;
	strbuf_init(&b, reason, sizeof(reason));
	rc = fn(key, t.s, t.len, &b);
	if (rc)
		strbuf_fmt(why, "unable to use %s: %s", path, reason);
	privtext_free(&t);
	return rc;
}

int keyfile_read(uint8_t key[static KEY64_BYTES], const char *path,
		 struct strbuf *why)
{
	return read_as(key, path, keyfile_parse, why);
}

int keyfile_read_psk(uint8_t psk[static KEY64_BYTES], const char *path,
		     struct strbuf *why)
{
	return read_as(psk, path, keyfile_parse_psk, why);
}

int keyfile_write(const uint8_t key[static KEY64_BYTES], const char *path,
		  struct strbuf *why)
{
	char text[KEY64_SIZE];
	int rc;

	key64_write(text, key);
	text[KEY64_LEN] = '\n';
	rc = privfile_create(path, text, sizeof(text), why);
	sodium_memzero(text, sizeof(text));
	return rc;
}

int keyfile_read_or_make(uint8_t key[static KEY64_BYTES], const char *path,
			 struct strbuf *why)
{
	size_t start = why->len;
	int rc = keyfile_read(key, path, why);

	if (rc != -ENOENT)
		return rc;
	why->s[why->len = start] = '\0';
	keyfile_generate(key);
	rc = keyfile_write(key, path, why);
	if (!rc)
		return 1;
	if (rc != -EEXIST)
		return rc;
	/* Somebody else was faster. */
	why->s[why->len = start] = '\0';
	return keyfile_read(key, path, why);
}

/* ---- subcommands ---- */

/* The operand, if any; "-" and none are stdin or stdout. */
static const char *operand(const char *name, const char *about, int argc,
			   char **argv)
{
	char synopsis[32];
	struct cli cli = { .synopsis = synopsis, .about = about };
	int i, unused = 0;

	(void)str_fmt(synopsis, sizeof(synopsis), "%s [FILE]", name);
	i = cli_parse(&cli, argc, argv, &unused);
	if (argc - i > 1)
		cli_usage("%s: more than one file", name);
	return i < argc && strcmp(argv[i], "-") != 0 ? argv[i] : NULL;
}

static int print(const uint8_t key[static KEY64_BYTES])
{
	char text[KEY64_SIZE];
	bool bad;

	bad = puts(key64_write(text, key)) < 0;
	bad = fflush(stdout) || bad;
	sodium_memzero(text, sizeof(text));
	if (bad)
		log_err("unable to write the key: %s", strerror(errno));
	return bad;
}

static int make_key(const char *name, const char *about, int argc, char **argv)
{
	const char *path = operand(name, about, argc, argv);
	char reason[PATH_MAX + 200];
	uint8_t key[KEY64_BYTES];
	struct strbuf why;
	int status = 0;

	if (sodium_init() < 0)
		return 1;
	strbuf_init(&why, reason, sizeof(reason));
	keyfile_generate(key);
	if (!path) {
		status = print(key);
	} else if (keyfile_write(key, path, &why)) {
		log_err("%s", reason);
		status = 1;
	}
	sodium_memzero(key, sizeof(key));
	return status;
}

int keyfile_cmd_genkey(int argc, char **argv)
{
	return make_key("genkey", "Make a private key.", argc, argv);
}

int keyfile_cmd_psk(int argc, char **argv)
{
	return make_key("psk", "Make a key that two peers share.", argc, argv);
}

/* One more byte than a key and a newline tells that there is more. */
static int read_stdin(uint8_t key[static KEY64_BYTES], struct strbuf *why)
{
	char text[KEY64_SIZE + 1], reason[160];
	struct strbuf b;
	size_t len = 0;
	ssize_t n;
	int rc;

	do {
		n = read(STDIN_FILENO, text + len, sizeof(text) - len);
		if (n > 0)
			len += (size_t)n;
	} while ((n > 0 && len < sizeof(text)) || (n < 0 && errno == EINTR));
	strbuf_init(&b, reason, sizeof(reason));
	rc = n < 0 ? -errno : keyfile_parse(key, text, len, &b);
	if (rc)
		strbuf_fmt(why, "unable to use standard input: %s",
			   n < 0 ? strerror(-rc) : reason);
	sodium_memzero(text, sizeof(text));
	return rc;
}

int keyfile_cmd_pubkey(int argc, char **argv)
{
	const char *path = operand("pubkey", "Print the public key.", argc,
				   argv);
	uint8_t key[KEY64_BYTES], pub[KEY64_BYTES];
	char reason[PATH_MAX + 200];
	struct strbuf why;
	int rc;

	if (sodium_init() < 0)
		return 1;
	strbuf_init(&why, reason, sizeof(reason));
	rc = path ? keyfile_read(key, path, &why) : read_stdin(key, &why);
	if (!rc && !noise_public(pub, key)) {
		rc = -EINVAL;
		strbuf_add(&why, "unable to use the key: it has no public one");
	}
	sodium_memzero(key, sizeof(key));
	if (!rc)
		return print(pub);
	log_err("%s", reason);
	return 1;
}
