import TensorCore
import Testing

@testable import Inference

/// Arithmetic on lengths that are not known yet.
struct LengthFunctionTests {
    @Test func `functions that are equal are written alike`() throws {
        let length = LengthFunction.length
        #expect(length.adding(2)?.adding(-2) == length)
        #expect(length.multiplied(by: 6)?.divided(by: 3) == length.multiplied(by: 2))
        #expect(length.divided(by: 2)?.divided(by: 3) == length.divided(by: 6))
        #expect(length.adding(1)?.divided(by: 2)?.description == "(L + 1) / 2")
    }

    @Test(arguments: 1...40)
    func `steps compute what integers would, rounded down`(_ length: Int) throws {
        let function = try #require(
            LengthFunction.length.adding(-7)?.divided(by: 2)?.multiplied(by: 3)?.adding(1)
        )
        #expect(function(length) == Int((Double(length - 7) / 2).rounded(.down)) * 3 + 1)
    }

    @Test func `what does not fit is nil, not a trap`() {
        let length = LengthFunction.length
        #expect(length.adding(.max)?.adding(1) == nil)
        #expect(length.multiplied(by: .max)?.multiplied(by: 2) == nil)
        #expect(length.multiplied(by: 0) == nil)
        #expect(length.divided(by: 0) == nil)
        #expect(length.adding(.max)?(1) == nil)
        #expect(Number.sum(.integer(.max), .integer(1)) == nil)
        #expect(Number.difference(.integer(0), .integer(.min)) == nil)
        #expect(Number.product(.integer(.min), .integer(-1)) == nil)
    }

    @Test func `a length is at least one`() {
        #expect(Number.larger(.length(.length), .integer(1)) == .length(.length))
        #expect(Number.larger(.length(.length), .integer(2)) == nil)
        #expect(Number.quotient(.length(.length), .length(.length)) == .integer(1))
    }
}
