extension ExactSums {
    /// The mean and variance that sums of values and of squares tell, without cancellation.
    ///
    /// - Parameters:
    ///   - count: How many values there are, as its first sum.
    ///   - sum: Which of these sums is of the values.
    ///   - squares: Which of these sums is of their squares.
    /// - Returns: The mean, and the variance with divisor `count`; NaN where there are no values or one was not finite.
    public func moments(count: ExactSums, sum: Int, squares: Int) -> (mean: Double, variance: Double) {
        let moments = PooledMoments(
            count: count.number(at: 0),
            sum: number(at: sum),
            squares: number(at: squares)
        )
        return (moments.mean, moments.variance)
    }
}
