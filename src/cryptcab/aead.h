/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aead - the two ciphers of a cable, with 64-bit counters as nonces
 *
 * ChaCha20-Poly1305 (RFC 8439) and AES-256-GCM, both libsodium's. The nonce of
 * 96 bits is made of the counter as the Noise Protocol Framework has it: four
 * zero bytes, then the counter, least significant byte first for ChaChaPoly
 * and last for AESGCM. A key must not see a counter twice; whoever calls keeps
 * count. AES-GCM is there only on machines with instructions for it, and only
 * after sodium_init(), which the program calls.
 */
#ifndef CRYPTCAB_AEAD_H
#define CRYPTCAB_AEAD_H

#include <sodium.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AEAD_KEY_LEN 32
#define AEAD_TAG_LEN 16

enum aead_cipher {
	AEAD_CHACHAPOLY,
	AEAD_AESGCM,
	AEAD_N_CIPHERS
};

/* A secret: wipe with aead_fini(). For AES the key is expanded once. */
struct aead {
	union {
		uint8_t key[AEAD_KEY_LEN];
		crypto_aead_aes256gcm_state aes;
	} u;
	enum aead_cipher cipher;
};

/* As Noise calls them. */
const char *aead_name(enum aead_cipher);

bool aead_available(enum aead_cipher);

/* @cipher must be available. */
void aead_init(struct aead *, enum aead_cipher cipher,
	       const uint8_t key[static AEAD_KEY_LEN]);
void aead_fini(struct aead *);

/* @len bytes at @in become @len bytes at @out and AEAD_TAG_LEN after them;
 * @in may be @out. @ad is authenticated only. */
void aead_seal(const struct aead *, uint64_t counter, const uint8_t *ad,
	       size_t ad_len, const uint8_t *in, size_t len, uint8_t *out);

/* The opposite: @len counts the tag, too. False, and @out is undefined but
 * has no plaintext, if anything was changed or @len is shorter than a tag. */
bool aead_open(const struct aead *, uint64_t counter, const uint8_t *ad,
	       size_t ad_len, const uint8_t *in, size_t len, uint8_t *out);

#endif
