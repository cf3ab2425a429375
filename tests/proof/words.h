/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * words.h - bits of 64-bit words, for proofs. WP counts in unbounded integers and knows little of &, | and ^: what is
 * assumed of them here, words.smt2 has the prover show for bit vectors.
 */
#pragma once
#include <stdint.h>
/*@ axiomatic words {
	predicate has(integer word, integer i);
	axiom word_test: \forall uint64_t w, integer k; 0 <= k < 64 ==> (((w >> k) & 1) != 0 <==> has(w, k));
	axiom word_flip: \forall uint64_t w, integer k, i; 0 <= k < 64 && 0 <= i < 64 ==>
		(has((uint64_t)(w ^ (uint64_t)(1 << k)), i) <==> (i == k ? !has(w, i) : has(w, i)));
	axiom word_set: \forall uint64_t w, integer k, i; 0 <= k < 64 && 0 <= i < 64 ==>
		(has(w | (uint64_t)(1 << k), i) <==> (i == k || has(w, i)));
	axiom word_clear: \forall uint64_t w, integer k, i; 0 <= k < 64 && 0 <= i < 64 ==>
		(has(w & (uint64_t)~(uint64_t)(1 << k), i) <==> (i != k && has(w, i)));
	axiom word_set_plain: \forall uint64_t w, integer k, i; 0 <= k < 64 && 0 <= i < 64 ==>
		(has(w | (1 << k), i) <==> (i == k || has(w, i)));
	axiom word_clear_plain: \forall uint64_t w, integer k, i; 0 <= k < 64 && 0 <= i < 64 ==>
		(has(w & (uint64_t)~(1 << k), i) <==> (i != k && has(w, i)));
	axiom word_full: \forall uint64_t w, integer k; 0 <= k < 64 ==>
		(w | (1 << k)) != 0 && (w | (uint64_t)(1 << k)) != 0;
	axiom word_zero: \forall integer i; 0 <= i < 64 ==> !has(0, i);
	axiom word_one: \forall uint64_t w; w != 0 ==> (\exists integer i; 0 <= i < 64 && has(w, i));
} */
