/// Names for requests, from the client or made here.
enum RequestID {
    /// Whether a client's id may go into logs and answers: 1 to 128 of `A-Z a-z 0-9 . _ - : + / =`.
    static func isSane(_ text: String) -> Bool {
        let bytes = text.utf8
        return !bytes.isEmpty && bytes.count <= 128 && bytes.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default:
            false
        }
    }
}

/// Makes ids of 13 base-32 digits (64 random bits), which a `String` holds without allocation.
struct RequestIDGenerator {
    private var state: UInt64 = .random(in: .min ... .max)

    mutating func next() -> String {
        // SplitMix64 (Steele, Lea & Flood 2014).
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return String(unsafeUninitializedCapacity: 13) { digits in
            for index in 0..<13 {
                let digit = UInt8(truncatingIfNeeded: bits & 31)
                digits[index] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                bits >>= 5
            }
            return 13
        }
    }
}
