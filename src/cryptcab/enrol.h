/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * enrol - first contact by ssh: two public keys change places
 *
 * The client runs `ssh [USER@]HOST vde_cryptcab enrol`, writes one line to it
 * and reads one line:
 *
 *   vde-enrol 1 KEY NAME                the client's public key and its name
 *   vde-enrolled 1 KEY PORT NAME        the server's public key, its UDP port
 *                                       (0: it was not told) and the name that
 *                                       the client has in its peers file
 *   vde-refused 1 REASON...             instead
 *
 * ssh proves to each side who the other one is. No secret travels, nothing is
 * left behind but a block in the peers file of USER there (and one here of the
 * server); who asks twice gets the same answer. What a login shell prints in
 * front of the answer is skipped. Every word that is given to ssh is checked
 * or fixed: neither ssh nor a shell can take one for anything else.
 *
 * $VDE_SSH is what is run instead of ssh: words, with quotes where one has
 * blanks, no shell. $VDE_CRYPTCAB is the program's name on the other side.
 */
#ifndef CRYPTCAB_ENROL_H
#define CRYPTCAB_ENROL_H

#include "cryptcab/address.h"
#include "cryptcab/key64.h"
#include "cryptcab/peersfile.h"

#define ENROL_LINE_MAX 255
#define ENROL_REASON_SIZE 200
#define ENROL_WAIT_MS 120000 /* somebody may have to type a password */

struct enrol_request {
	uint8_t key[KEY64_BYTES];
	char name[PEERSFILE_NAME_SIZE];
};

struct enrol_reply {
	bool refused;
	char reason[ENROL_REASON_SIZE]; /* if refused: printable ASCII */
	uint8_t key[KEY64_BYTES];
	uint16_t port;
	char name[PEERSFILE_NAME_SIZE];
};

/* Lines with their newline; @s has ENROL_LINE_MAX + 1. Return @s. What is not
 * printable in a reason becomes '?', what is too long is cut. */
char *enrol_write_request(char *s, const struct enrol_request *);
char *enrol_write_reply(char *s, const struct enrol_reply *);

/* Lines without their newline. False: that is none. */
bool enrol_parse_request(struct enrol_request *, const char *s);
bool enrol_parse_reply(struct enrol_reply *, const char *s);

enum enrol_found {
	ENROL_NOTHING, /* yet */
	ENROL_REPLY,
	ENROL_GARBAGE, /* a line that should be a reply and is none */
};

/* Looks for a whole line that begins with "vde-" in what came so far, and
 * which may end with a carriage return. */
enum enrol_found enrol_find_reply(struct enrol_reply *, const char *text,
				  size_t len);

/* The words of a command for ssh; as long as @mem, which is the caller's. */
#define ENROL_WORDS_MAX 32
struct enrol_words {
	char *argv[ENROL_WORDS_MAX + 1]; /* ends with NULL */
	char mem[2048];
};

/* @ssh and @program: NULL for the usual ones. @user may be empty. -EINVAL and
 * why: words that could be misunderstood. */
int enrol_words(struct enrol_words *, const char *ssh, const char *user,
		const struct address *host, const char *program,
		struct strbuf *why);

/* Runs them, with this process's stderr and terminal. 0 and a reply that is no
 * refusal; -EACCES: it is one; -ETIMEDOUT; -EPROTO and others: why. Blocks. */
int enrol_run(const struct enrol_words *, const struct enrol_request *,
	      unsigned int timeout_ms, struct enrol_reply *,
	      struct strbuf *why);

/* The client's first contact with the server at @host, if the peers file at
 * @peers_path has none of that address: by ssh, with the public key @pub of
 * this side. The server is in the file afterwards. 0: it was there, 1: it is
 * now, -errno: why. Blocks. */
int enrol_server(const char *user, const struct address *host,
		 const uint8_t pub[static KEY64_BYTES], const char *peers_path,
		 unsigned int timeout_ms, struct strbuf *why);

/* The server: the request in @line (without newline) is carried out on the
 * peers file. @own is the server's public key. @reply is for the client in any
 * case; -errno if it is a refusal, and the whole of it in @why. */
int enrol_serve(const char *line, const char *peers_path,
		const uint8_t own[static KEY64_BYTES], uint16_t port,
		struct enrol_reply *, struct strbuf *why);

/* The subcommand `enrol [OPTION]...`: one request from stdin, one reply to
 * stdout. The exit status. */
int enrol_cmd(int argc, char **argv);

#endif
