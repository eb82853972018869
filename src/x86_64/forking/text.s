# text.s - texts and numbers put together, one after the other, in a buffer of the caller's.

        .intel_syntax noprefix
        .include "forking/forking.inc"

        .global append_text, append_number

        .text
# append_text - copy a counted text.
#
# In:      rdi      where to
#          rsi      the counted text
# Out:     rdi      one past what was written
# Clobbers: rcx, rsi
append_text:
        movzx   ecx, byte ptr [rsi]
        inc     rsi
        rep movsb
        ret

# append_number - write a number in decimal, without leading zeros.
#
# In:      rdi      where to
#          rax      the number
# Out:     rdi      one past what was written
# Clobbers: rax, rcx, rdx, rsi, r8
#
# Division yields the last digit first, so the digits are made from the right to the left: below
# the stack pointer, where 128 bytes (the red zone) are a routine's own until it calls another.
append_number:
        mov     r8d, TEN
        mov     rsi, rsp
        xor     ecx, ecx
.Ldigit:
        xor     edx, edx
        div     r8                              # rax: what is left; rdx: the digit
        add     dl, '0'
        dec     rsi
        mov     [rsi], dl
        inc     ecx
        test    rax, rax
        jnz     .Ldigit
        rep movsb
        ret

        .section .note.GNU-stack, "", @progbits
