/* SPDX-License-Identifier: BSD-2-Clause */
/* words.h: what provers do not know of 64 bits, for contracts. Each lemma here is a theorem in words.smt2, which z3 proves of bit vectors.
 * two(n) is 2 to the n. bit(x, k): x has bit k. lowest(x, n): n is its lowest. */
#pragma once
#include <abi/types.h>

/*@ axiomatic words {
      predicate word(integer x) = 0 <= x < 18446744073709551616;
      predicate place(integer n) = 0 <= n < 64;
      logic integer two(integer n);
      predicate bit(integer x, integer k);
      predicate lowest(integer x, integer n);
    }
    admit lemma two_grows: \forall integer n; place(n) ==> 1 <= two(n) <= 9223372036854775808;
    admit lemma two_known: two(0) == 1 && two(4) == 16 && two(6) == 64 && two(7) == 128 && two(8) == 256 && two(9) == 512 && two(10) == 1024 && two(11) == 2048 && two(12) == 4096 && two(15) == 32768 && two(16) == 65536
                       && two(35) == 34359738368 && two(36) == 68719476736 && two(47) == 140737488355328 && two(63) == 9223372036854775808;
    admit lemma two_adds_12: \forall integer n; 0 <= n < 52 ==> two(n + 12) == two(n) * 4096;
    admit lemma two_orders: \forall integer k, n; place(k) && place(n) ==> (k <= n <==> two(k) <= two(n));
    admit lemma shift_left: \forall integer x, n; word(x) && place(n) && word(x * two(n)) ==> (x << n) == x * two(n);
    admit lemma shift_one: \forall integer n; place(n) ==> (1 << n) == two(n);
    admit lemma shift_right: \forall integer x, n; word(x) && place(n) ==> (x >> n) == x / two(n);
    admit lemma parts: \forall integer n; 6 <= n < 12 ==> (4096 >> n) * two(n) == 4096 && 2 <= (4096 >> n) <= 64;
    admit lemma mask_2: \forall integer x; word(x) ==> (x & 3) == x % 4;
    admit lemma mask_4: \forall integer x; word(x) ==> (x & 15) == x % 16;
    admit lemma mask_6: \forall integer x; word(x) ==> (x & 63) == x % 64;
    admit lemma mask_12: \forall integer x; word(x) ==> (x & 4095) == x % 4096;
    admit lemma mask_36: \forall integer x; word(x) ==> (x & 68719476735) == x % 68719476736;
    admit lemma unmask_12: \forall integer x; word(x) ==> (x & 18446744073709547520) == x - x % 4096;
    admit lemma fields: \forall integer a, b, c, d; 0 <= a < 4 && 0 <= b < 64 && 0 <= c < 4503599627370496 && 0 <= d < 16
                          ==> (d | a << 4 | b << 6 | c << 12) == d + a * 16 + b * 64 + c * 4096;
    admit lemma joined: \forall integer a, b; 0 <= a < 68719476736 && 0 <= b < 268435456 ==> (a | b << 36) == a + b * 68719476736;
    admit lemma or_aligned: \forall integer a, b, n; word(a) && word(b) && place(n)
                          ==> (((two(n) - 1) & (a | b)) == 0 <==> a % two(n) == 0 && b % two(n) == 0);
    admit lemma or_below: \forall integer a, b, n; word(a) && word(b) && place(n) ==> (((a | b) >> n) == 0 <==> a < two(n) && b < two(n));
    admit lemma ends_inside: \forall integer a, k, n; word(a) && place(k) && place(n) && k <= n && a % two(k) == 0 && a < two(n)
                          ==> a + two(k) <= two(n);
    admit lemma wraps_64: \forall integer i; (18446744073709551616 <= i < 36893488147419103232 ==> (u64)i == i - 18446744073709551616)
                          && (-18446744073709551616 <= i < 0 ==> (u64)i == i + 18446744073709551616);
    admit lemma wraps_32: \forall integer i; -4294967296 <= i < 0 ==> (u32)i == i + 4294967296;
    admit lemma wraps_signed: \forall integer i; 9223372036854775808 <= i < 18446744073709551616 ==> (i64)i == i - 18446744073709551616;
    admit lemma lowest_is_bit: \forall integer x, n; word(x) && place(n) && lowest(x, n) ==> bit(x, n);
    admit lemma lowest_goes: \forall integer x, n, k; word(x) && place(n) && place(k) && lowest(x, n)
                           ==> (bit(x & (x - 1), k) <==> bit(x, k) && k != n);
    admit lemma bit_set: \forall integer x, n, k; word(x) && place(n) && place(k) ==> (bit(x | two(n), k) <==> bit(x, k) || k == n);
    admit lemma bit_ones: \forall integer n, k; place(n) && place(k) ==> (bit(18446744073709551615 >> n, k) <==> k < 64 - n);
    admit lemma bit_none: \forall integer k; place(k) ==> !bit(0, k);
*/

/* GCC's, which Frama-C knows only half of. */
/*@ requires x != 0;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures 0 <= \result < 64 && lowest(x, \result);
*/
int word_lowest(u64 x);
#define __builtin_ctzl word_lowest

/*@ requires x != 0;
    terminates \true;
    exits \false;
    assigns \nothing;
    ensures 0 <= \result < 32 && two(31 - \result) <= x < two(32 - \result);
*/
int word_zeros(u32 x);
#define __builtin_clz word_zeros
