import CSimdJSON
import Inference

/// The rules by which a model's sequences are read: its signature and the limits.
struct SequenceReader: Sendable {
    /// The name of the model's sequence input, by which an object may give it.
    let inputName: String
    let maskName: String?
    let lengthsName: String?
    /// The number of features of a position; nil for a model of tokens.
    let channels: Int?
    let letters: Alphabet?
    let tokenIDs: ClosedRange<Int64>
    let limits: DecodingLimits

    init(signature: Signature, limits: DecodingLimits) {
        inputName = signature.sequence.name
        maskName = signature.mask?.name
        lengthsName = signature.lengths?.name
        letters = signature.alphabet
        self.limits = limits
        let tokenCount = signature.alphabet?.count ?? signature.vocabularySize
        tokenIDs = 0...(tokenCount.map { Int64(max($0, 1)) - 1 } ?? Int64.max)
        channels =
            switch signature.sequence.kind {
            case .features(_, let channels): channels
            case .tokens: nil
            }
    }

    /// The name under which records of text formats give a sequence, whatever the model calls it.
    static let genericName = "sequence"

    /// The sequence that an object holds, with its key.
    func member(of object: JSONValue, others: OtherMembers) throws(BodyError) -> (
        key: String, value: JSONValue
    ) {
        var found: (key: String, value: JSONValue)?
        try object.forEachMember { (key, value) throws(BodyError) in
            if key == inputName || key == Self.genericName {
                guard found == nil else { throw .invalidInput(.duplicateKey, at: BodyPlace()) }
                found = (key, value)
            } else if key == maskName || key == lengthsName {
                throw .invalidInput(.maskNotTaken, at: BodyPlace())
            } else if others == .refused {
                throw .invalidInput(.unknownKey(known: [inputName]), at: BodyPlace())
            }
        }
        guard let found else {
            throw .invalidInput(
                .missingKey(others == .ignored ? Self.genericName : inputName),
                at: BodyPlace()
            )
        }
        return found
    }

    /// Whether an object may have members that are not the sequence.
    enum OtherMembers { case refused, ignored }

    /// Throws unless the length is from 1 to the limit.
    func check(length: Int) throws(BodyError) {
        guard length > 0 else { throw .invalidInput(.emptySequence, at: BodyPlace()) }
        guard length <= limits.maxPositions else {
            throw .invalidInput(.sequenceTooLong(limit: limits.maxPositions), at: BodyPlace())
        }
    }
}

extension csj_place {
    /// The fault as an error, placed below the array that was read; `expected` is the length of a row.
    func error(expected: Int) -> BodyError? {
        guard fault != CSJ_FINE else { return nil }
        let inRow = BodyPlace([.index(row)])
        let inColumn = BodyPlace([.index(row), .index(column)])
        switch fault {
        case CSJ_NOT_AN_ARRAY:
            return .invalidJSON(.wrongType(expected: [.array], found: JSONValue.type(of: kind)), at: inRow)
        case CSJ_WRONG_COUNT:
            return .invalidInput(.featureCount(expected: expected, found: count), at: inRow)
        case CSJ_NOT_A_NUMBER:
            return .invalidJSON(
                .wrongType(expected: [.number], found: JSONValue.type(of: kind)),
                at: inColumn
            )
        case CSJ_OUT_OF_RANGE: return .invalidInput(.outOfFloatRange, at: inColumn)
        default: return nil
        }
    }

    /// The fault of a flat array of integers as an error.
    func error(integers range: ClosedRange<Int64>) -> BodyError? {
        guard fault != CSJ_FINE else { return nil }
        let place = BodyPlace([.index(row)])
        switch fault {
        case CSJ_NOT_A_NUMBER:
            return .invalidJSON(.wrongType(expected: [.number], found: JSONValue.type(of: kind)), at: place)
        case CSJ_NOT_AN_INTEGER: return .invalidInput(.notAnInteger, at: place)
        case CSJ_OUT_OF_RANGE:
            return .invalidInput(
                .integerOutOfRange(lower: range.lowerBound, upper: range.upperBound),
                at: place
            )
        default: return nil
        }
    }
}
