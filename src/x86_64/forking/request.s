# request.s - takes a request's head apart: the request line and the headers that matter.

        .intel_syntax noprefix
        .include "forking/forking.inc"

        .global parse_head

# What the version begins with, as two numbers of four bytes that share a P: a number's lowest
# byte stands first in memory.
HTTP                    = 'H' + ('T' << 8) + ('T' << 16) + ('P' << 24)
P_1_DOT                 = 'P' + ('/' << 8) + ('1' << 16) + ('.' << 24)
P_1_DOT_AT              = 3
MINOR_VERSION_AT        = 7
VERSION_SIZE            = 8         # HTTP/1.x

        .text
# parse_head - check the whole head and note what it says.
#
# The grammar is that of RFC 9112, sections 3 and 5, with nothing forgiven: one space between
# the parts of the request line, no space before a header's colon, no folded lines. Bounds need
# no check here: each loop stops at a CR, and the head ends in one (see read_head).
#
# In:      r12      the request line
# Out:     rax      0, or the status to refuse the request with
#          ebp      what the headers said (see forking.inc)
#          r15      Content-Length, or NO_LENGTH; above BODY_MAX it is BODY_MAX + 1
# Clobbers: rcx, rdx, rsi, rdi, r8, r9, r10
#
# For the length of this routine:
#   rsi    the next byte to look at
#   rdi    the name of the current header, rcx its length
#   r8     the value of the current header, r9 its length
parse_head:
        xor     ebp, ebp
        mov     r15, NO_LENGTH
        mov     rsi, r12

        # Method, space. Which method it is does not matter yet.
        call    skip_token
        jz      .Lbad
        cmp     al, SPACE
        jne     .Lbad
        inc     rsi

        # Target, space: at least one visible character. They are contiguous in ASCII.
        mov     rdi, rsi
.Ltarget:
        mov     al, [rsi]
        inc     rsi
        sub     al, '!'
        cmp     al, '~' - '!'
        jbe     .Ltarget
        cmp     byte ptr [rsi - 1], SPACE
        jne     .Lbad
        inc     rdi
        cmp     rsi, rdi
        je      .Lbad

        # HTTP/1.x, end of line.
        cmp     dword ptr [rsi], HTTP
        jne     .Lbad
        cmp     dword ptr [rsi + P_1_DOT_AT], P_1_DOT
        jne     .Lbad
        movzx   eax, byte ptr [rsi + MINOR_VERSION_AT]
        sub     eax, '0'
        jz      .Lversion_end
        cmp     eax, '9' - '0'
        ja      .Lbad
        or      ebp, IS_HTTP_1_1
.Lversion_end:
        cmp     byte ptr [rsi + VERSION_SIZE], CR
        jne     .Lbad
        add     rsi, VERSION_SIZE + CRLF_SIZE

        # Each header: name, colon, value. A line that begins with CR is the empty one.
.Lheader:
        cmp     byte ptr [rsi], CR
        je      .Lheaders_end
        call    skip_token
        jz      .Lbad
        cmp     al, ':'
        jne     .Lbad
        inc     rsi
        call    take_value

        lea     rdx, [rip + name_host]
        call    is_word
        je      .Lhost
        lea     rdx, [rip + name_content_length]
        call    is_word
        je      .Llength
        lea     rdx, [rip + name_transfer_encoding]
        call    is_word
        je      .Ltransfer_encoding
        lea     rdx, [rip + name_expect]
        call    is_word
        jne     .Lheader

        # Expect: 100-continue. Other expectations may be ignored, by RFC 9110, section 10.1.1.
        mov     rdi, r8
        mov     rcx, r9
        lea     rdx, [rip + value_continue]
        call    is_word
        jne     .Lheader
        or      ebp, EXPECTS_CONTINUE
        jmp     .Lheader

        # Two Hosts would let two programs on a request's way see two different requests.
.Lhost: test    ebp, HAS_HOST
        jnz     .Lbad
        or      ebp, HAS_HOST
        jmp     .Lheader

.Ltransfer_encoding:
        or      ebp, HAS_TRANSFER_ENCODING
        jmp     .Lheader

        # Digits and nothing else; said twice, it has to be the same.
.Llength:
        call    parse_length
        jc      .Lbad
        cmp     r15, NO_LENGTH
        je      .Lfirst_length
        cmp     r15, rax
        jne     .Lbad
.Lfirst_length:
        mov     r15, rax
        jmp     .Lheader

        # From HTTP/1.1 on, a request without Host is malformed: RFC 9112, section 3.2.
.Lheaders_end:
        xor     eax, eax
        test    ebp, IS_HTTP_1_1
        jz      .Lparsed
        test    ebp, HAS_HOST
        jnz     .Lparsed
.Lbad:  lea     rax, [rip + status_400]
.Lparsed:
        ret

# skip_token - pass over a method or a header's name.
#
# In:      rsi      its first byte
# Out:     rsi      the first byte that belongs to no token, and al that byte
#          rdi      where the token began
#          rcx      its length
#          ZF       set when it is empty
skip_token:
        mov     rdi, rsi
.Lcharacter:
        movzx   eax, byte ptr [rsi]
        test    al, al
        js      .Ltoken_end                     # 128 and above
        bt      [rip + token_characters], rax
        jnc     .Ltoken_end
        inc     rsi
        jmp     .Lcharacter
.Ltoken_end:
        mov     rcx, rsi
        sub     rcx, rdi
        ret

# take_value - find a header's value, without the spaces and tabs around it.
#
# In:      rsi      what stands behind the colon
# Out:     rsi      the next line
#          r8       the value
#          r9       its length
# Clobbers: rax
take_value:
        mov     al, [rsi]
        inc     rsi
        cmp     al, SPACE
        je      take_value
        cmp     al, TAB
        je      take_value
        dec     rsi
        mov     r8, rsi

        # r9 follows the last byte that is neither space nor tab.
        mov     r9, rsi
.Lvalue:
        mov     al, [rsi]
        inc     rsi
        cmp     al, CR
        je      .Lvalue_end
        cmp     al, SPACE
        je      .Lvalue
        cmp     al, TAB
        je      .Lvalue
        mov     r9, rsi
        jmp     .Lvalue
.Lvalue_end:
        inc     rsi                             # the LF
        sub     r9, r8
        ret

# is_word - whether a name or value is this word, whole, in any case of letters.
#
# In:      rdi      the name or value
#          rcx      its length
#          rdx      the word in lower case, a counted text
# Out:     ZF       set when it is
# Clobbers: rax, r10
#
# Setting one bit makes a letter lower-case. It would also make a '-' of a CR, and digits of
# control characters, but neither names nor values have those.
is_word:
        movzx   r10d, byte ptr [rdx]
        cmp     rcx, r10
        jne     .Lcompared
.Lletter:
        mov     al, [rdi + r10 - 1]
        or      al, LOWER_CASE
        cmp     al, [rdx + r10]
        jne     .Lcompared
        dec     r10
        jnz     .Lletter
.Lcompared:
        ret

# parse_length - read the value of Content-Length.
#
# In:      r8       the value
#          r9       its length
# Out:     rax      the number; BODY_MAX + 1 for all that are greater than BODY_MAX
#          CF       set when it is no number
# Clobbers: rcx, rdx, r9, r10
parse_length:
        xor     eax, eax
        mov     edx, BODY_MAX + 1
        xor     r10d, r10d

        # An empty value stops at once too: the CR behind it is no digit.
.Ldigit:
        movzx   ecx, byte ptr [r8 + r10]
        sub     ecx, '0'
        cmp     ecx, '9' - '0'
        ja      .Lno_number
        imul    eax, eax, TEN
        add     eax, ecx
        cmp     eax, edx
        cmova   eax, edx
        inc     r10
        cmp     r10, r9
        jb      .Ldigit
        clc
        ret
.Lno_number:
        stc
        ret

# token_range FIRST, LAST - note that these characters may stand in a token.
TOKENS_LOW              = 0         # bit N: character N
TOKENS_HIGH             = 0         # bit N: character 64 + N
.macro token_range first:req, last:req
        character = \first
        .rept   \last - \first + 1
        .if     character < 64
        TOKENS_LOW = TOKENS_LOW | (1 << character)
        .else
        TOKENS_HIGH = TOKENS_HIGH | (1 << (character - 64))
        .endif
        character = character + 1
        .endr
.endm

        # RFC 9110, section 5.6.2: letters, digits, and ! # $ % & ' * + - . ^ _ ` | ~
        token_range '0', '9'
        token_range 'A', 'Z'
        token_range 'a', 'z'
        token_range '!', '!'
        token_range '#', '\''
        token_range '*', '+'
        token_range '-', '.'
        token_range '^', '`'
        token_range '|', '|'
        token_range '~', '~'

        .section .rodata
        .balign 8
token_characters:
        .quad   TOKENS_LOW, TOKENS_HIGH
        counted name_host, "host"
        counted name_content_length, "content-length"
        counted name_transfer_encoding, "transfer-encoding"
        counted name_expect, "expect"
        counted value_continue, "100-continue"

        .section .note.GNU-stack, "", @progbits
