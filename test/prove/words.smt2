; SPDX-License-Identifier: BSD-2-Clause
; words.smt2: the lemmas of words.h, proved of bit vectors by `axo prove`, which adds what is the same for all: a, b, c, d, k and x are any 64 bits,
; i is any number, n is each number below 64. A theorem is a formula that holds. What C's conversions do is `mod`.
(define-fun two ((i (_ BitVec 64))) (_ BitVec 64) (bvshl (_ bv1 64) i))
(define-fun none ((x (_ BitVec 64))) Bool (= x (_ bv0 64)))
(define-fun place ((i (_ BitVec 64))) Bool (bvult i (_ bv64 64)))
(define-fun bit ((x (_ BitVec 64)) (i (_ BitVec 64))) Bool (not (none (bvand x (two i)))))
(define-fun ones ((i (_ BitVec 64))) (_ BitVec 64) (bvsub (two i) (_ bv1 64)))
(define-fun lowest ((x (_ BitVec 64)) (i (_ BitVec 64))) Bool (and (bit x i) (none (bvand x (ones i)))))
(define-fun masks ((i (_ BitVec 64)) (mask (_ BitVec 64))) Bool (= (bvand x mask) (bvurem x (two i))))

; theorem two_grows
(and (bvuge (two n) (_ bv1 64)) (bvule (two n) (_ bv9223372036854775808 64)))
; theorem two_known
(and (= (two (_ bv0 64)) (_ bv1 64)) (= (two (_ bv4 64)) (_ bv16 64)) (= (two (_ bv6 64)) (_ bv64 64)) (= (two (_ bv7 64)) (_ bv128 64)) (= (two (_ bv8 64)) (_ bv256 64)) (= (two (_ bv9 64)) (_ bv512 64)) (= (two (_ bv10 64)) (_ bv1024 64)) (= (two (_ bv11 64)) (_ bv2048 64))
     (= (two (_ bv12 64)) (_ bv4096 64))
     (= (two (_ bv15 64)) (_ bv32768 64)) (= (two (_ bv16 64)) (_ bv65536 64)) (= (two (_ bv36 64)) (_ bv68719476736 64))
     (= (two (_ bv35 64)) (_ bv34359738368 64)) (= (two (_ bv47 64)) (_ bv140737488355328 64)) (= (two (_ bv63 64)) (_ bv9223372036854775808 64)))
; theorem two_adds_12
(=> (bvult n (_ bv52 64)) (and (= (two (bvadd n (_ bv12 64))) (bvmul (two n) (_ bv4096 64))) (bvult (two n) (_ bv4503599627370496 64))))
; theorem two_orders
(=> (place k) (= (bvule k n) (bvule (two k) (two n))))
; theorem shift_left
(=> (bvule x (bvudiv (bvnot (_ bv0 64)) (two n))) (= (bvshl x n) (bvmul x (two n))))
; theorem shift_one
(= (bvshl (_ bv1 64) n) (two n))
; theorem shift_right
(= (bvlshr x n) (bvudiv x (two n)))
; theorem parts
(=> (and (bvule (_ bv6 64) n) (bvult n (_ bv12 64)))
    (and (= (bvmul (bvlshr (_ bv4096 64) n) (two n)) (_ bv4096 64)) (bvule (_ bv2 64) (bvlshr (_ bv4096 64) n)) (bvule (bvlshr (_ bv4096 64) n) (_ bv64 64))))
; theorem costs
(=> (and (bvule (_ bv6 64) n) (bvule n (_ bv12 64)))
    (and (bvule (_ bv64 64) (bvshl (_ bv1 64) n)) (bvule (bvshl (_ bv1 64) n) (_ bv4096 64)) (= (bvshl (_ bv1 64) n) (bvmul (_ bv2 64) (two (bvsub n (_ bv1 64)))))))
; theorem mask_2
(masks (_ bv2 64) (_ bv3 64))
; theorem mask_4
(masks (_ bv4 64) (_ bv15 64))
; theorem mask_6
(masks (_ bv6 64) (_ bv63 64))
; theorem mask_12
(masks (_ bv12 64) (_ bv4095 64))
; theorem mask_36
(masks (_ bv36 64) (_ bv68719476735 64))
; theorem unmask_12
(= (bvand x (_ bv18446744073709547520 64)) (bvsub x (bvurem x (_ bv4096 64))))
; theorem page_number
(= (bvand (_ bv18446744073709551552 64) (bvlshr x (_ bv6 64))) (bvmul (bvudiv x (_ bv4096 64)) (_ bv64 64)))
; theorem page_begin
(=> (bvult x (_ bv288230376151711744 64)) (and (= (bvshl x (_ bv6 64)) (bvmul x (_ bv64 64))) (bvule (bvmul x (_ bv64 64)) (bvnot (_ bv63 64)))))
; theorem fields
(=> (and (bvult a (_ bv4 64)) (bvult b (_ bv64 64)) (bvult c (_ bv4503599627370496 64)) (bvult d (_ bv16 64)))
    (= (bvor d (bvshl a (_ bv4 64)) (bvshl b (_ bv6 64)) (bvshl c (_ bv12 64)))
       (bvadd d (bvmul a (_ bv16 64)) (bvmul b (_ bv64 64)) (bvmul c (_ bv4096 64)))))
; theorem joined
(=> (and (bvult a (two (_ bv36 64))) (bvult b (two (_ bv28 64)))) (= (bvor a (bvshl b (_ bv36 64))) (bvadd a (bvmul b (two (_ bv36 64))))))
; theorem or_aligned
(= (none (bvand (ones n) (bvor a b))) (and (none (bvurem a (two n))) (none (bvurem b (two n)))))
; theorem or_below
(= (none (bvlshr (bvor a b) n)) (and (bvult a (two n)) (bvult b (two n))))
; theorem ends_inside
; a % two(k) is 0 if `a` has none of the bits below: or_aligned
(=> (and (place k) (bvule k n) (none (bvand a (ones k))) (bvult a (two n))) (and (bvule (bvadd a (two k)) (two n)) (bvule a (bvadd a (two k)))))
; theorem wraps_64
(and (=> (and (<= 18446744073709551616 i) (< i 36893488147419103232)) (= (mod i 18446744073709551616) (- i 18446744073709551616)))
     (=> (and (<= (- 18446744073709551616) i) (< i 0)) (= (mod i 18446744073709551616) (+ i 18446744073709551616))))
; theorem wraps_32
(=> (and (<= (- 4294967296) i) (< i 0)) (= (mod i 4294967296) (+ i 4294967296)))
; theorem wraps_signed
(=> (and (<= 9223372036854775808 i) (< i 18446744073709551616))
    (= (- (mod (+ i 9223372036854775808) 18446744073709551616) 9223372036854775808) (- i 18446744073709551616)))
; theorem lowest_is_bit
(=> (lowest x n) (bit x n))
; theorem lowest_goes
(=> (and (lowest x n) (place k)) (= (bit (bvand x (bvsub x (_ bv1 64))) k) (and (bit x k) (not (= k n)))))
; theorem bit_set
(=> (place k) (= (bit (bvor x (two n)) k) (or (bit x k) (= k n))))
; theorem bit_ones
(=> (place k) (= (bit (bvlshr (bvnot (_ bv0 64)) n) k) (bvult k (bvsub (_ bv64 64) n))))
; theorem bit_none
(=> (place k) (not (bit (_ bv0 64) k)))
