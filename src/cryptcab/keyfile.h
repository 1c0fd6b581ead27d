/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keyfile - private and pre-shared keys in files, and the subcommands that
 * make them
 *
 * A key file is a key as base64 (key64.h) and maybe a newline, nothing else;
 * privfile.h says whose and how it must be. A pre-shared key may also be any
 * other file of 24 to 65536 bytes, which is what VDE 2's -P takes (24 bytes of
 * its older version, 44 of the later): the key is the keyed BLAKE2b of its
 * content then.
 *
 * Keys go to memory of the caller, who gets it from sodium_malloc(). All
 * functions say in @why what is wrong and give 0 or -errno.
 */
#ifndef CRYPTCAB_KEYFILE_H
#define CRYPTCAB_KEYFILE_H

#include "base/strbuf.h"
#include "cryptcab/key64.h"

#define KEYFILE_PSK_MIN 24
#define KEYFILE_PSK_MAX 65536

/* A new private key. */
void keyfile_generate(uint8_t key[static KEY64_BYTES]);

/* Exactly a key, from the text of a file. -EINVAL: it is something else, as
 * @why says without quoting any of it. */
int keyfile_parse(uint8_t key[static KEY64_BYTES], const char *text, size_t len,
		  struct strbuf *why);
/* The pre-shared key that a file's content is. */
int keyfile_parse_psk(uint8_t psk[static KEY64_BYTES], const char *text,
		      size_t len, struct strbuf *why);

int keyfile_read(uint8_t key[static KEY64_BYTES], const char *path,
		 struct strbuf *why);
int keyfile_read_psk(uint8_t psk[static KEY64_BYTES], const char *path,
		     struct strbuf *why);

/* -EEXIST: there is such a file, which is left alone. */
int keyfile_write(const uint8_t key[static KEY64_BYTES], const char *path,
		  struct strbuf *why);

/* The key at @path, which is made first if there is none. 1: it was made. */
int keyfile_read_or_make(uint8_t key[static KEY64_BYTES], const char *path,
			 struct strbuf *why);

/* Where both sides have nothing but the same -P file: the private key of the
 * server, which its clients compute, too. Who has the file can be the server;
 * it was so in VDE 2. */
void keyfile_psk_server(uint8_t key[static KEY64_BYTES],
			const uint8_t psk[static KEY64_BYTES]);

/* Subcommands; argv[0] is their name. The exit status.
 *   genkey [FILE]   a new private key, to a new file or stdout
 *   pubkey [FILE]   the public key of the private one in the file or stdin
 *   psk [FILE]      a new pre-shared key, to a new file or stdout */
int keyfile_cmd_genkey(int argc, char **argv);
int keyfile_cmd_pubkey(int argc, char **argv);
int keyfile_cmd_psk(int argc, char **argv);

#endif
